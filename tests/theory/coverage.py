"""Where each entry of the reference data is answered, or why it cannot be yet.

`bindings` answers most; the rest is listed here by the beginning of its name. A test refuses an
entry that is in neither place, so that a new entry cannot be overlooked.
"""

from __future__ import annotations

# Answered by a test of its own.
ELSEWHERE = {
    "GG1_bounds_": "theory/test_bounds.py",
    "BOUND_policy_order": "theory/test_bounds.py",
    "P3C_n100_replacement": "theory/test_bounds.py (told apart from sampling without replacement)",
    "P5C_n100_replacement": "theory/test_bounds.py (told apart from sampling without replacement)",
    "MM1_asyvar_": "theory/test_identities.py",
    "CENSORING_overload_fluid": "theory/test_identities.py",
    "CONSERVATION_requests": "properties/test_properties.py",
    "LITTLE_identity": "theory/test_identities.py",
    "WORK_identity": "theory/test_identities.py",
    "PITFALL_FIFO_slowdown": "theory/test_identities.py",
    "STAT_CI_coverage": "theory/test_intervals.py",
    "STAT_critical": "theory/test_formulas.py",
    "STAT_t_critical": "theory/test_formulas.py",
    "POWER_planning": "theory/test_formulas.py",
    "TRACE_": "semantics/test_service.py",
    "DD1_horizon": "semantics/test_clock.py",
    "CPU_hypervisor_identity": "compute/test_fluid_hypervisor.py",
    "CPUSHARE_": "compute/test_water_level.py",
    "HASH_consistent_remap": "semantics/test_ip_hash.py",
    "IPHASH_max": "semantics/test_ip_hash.py",
    "RETRY_AMPLIFICATION_": "semantics/test_retries.py",
    "SCALER_ratio_law": "theory/test_scaling_fleets.py",
    "SCALER_fluid_step": "theory/test_scaling_fleets.py",
    "SCALER_gain_limit": "theory/test_own_policies.py",
    "SCALER_fluid_ramp": "theory/test_own_policies.py",
    "HPA_": "theory/test_own_policies.py",
    "SQS_": "messaging/test_redelivery.py",
    "SNS_": "theory/test_deliveries.py",
    "EventBridge_": "theory/test_deliveries.py",
}

# Not expressible: the feature belongs to a later version, or the mechanism is not the one in use.
NOT_YET = {
    "MM1_setup": "servers that start and switch off at the very arrival and departure",
    "MM1_detsetup": "servers that start and switch off at the very arrival and departure",
    "MMk_setup": "servers that start and switch off at the very arrival and departure",
    "MM1_vacations": "servers that leave while idle",
    "DPS_": "requests of unequal weight within one instance",
    "FORKJOIN2": "the step `parallel`",
    "MAX_EXP": "the step `parallel`",
    "METASTABLE_": "context only, no figure of a model",
    "EC2_": "burst credits",
    "HASH_mod_remap": "hashing is consistent here, not by remainder",
    "HASH_ring": "the consistent hash here has no ring and no virtual nodes",
    "MAGLEV_": "the consistent hash here has no look-up table",
    "RNG_philox4x32": "the generator is Philox4x64; its words are compared with NumPy's",
    "RNG_splitmix64": "the generator is Philox4x64; its words are compared with NumPy's",
    "RNG_xoshiro256pp": "the generator is Philox4x64; its words are compared with NumPy's",
    "RNG_pcg64": "the generator is Philox4x64; its words are compared with NumPy's",
}


def listed(table: dict[str, str], name: str) -> str | None:
    """What a table says of an entry."""
    found = [prefix for prefix in table if name.startswith(prefix)]
    return table[max(found, key=len)] if found else None
