"""An optimiser designs the coffee shop: how many baristas there are, and how orders are dealt.

A barista costs $20 an hour, and a customer who has waited for more than ten seconds for a drink
leaves without paying $4. Optuna proposes designs; all are tried with the same random numbers, so
one is not better than another by luck. Needs the extra `optuna`.

    python examples/tuned-shop.py --trials 40
"""

import argparse
from pathlib import Path

import optuna

import nephoscope as nph

WAGE, DRINK = 20.0, 4.0
ROUTINGS = ("random", "round_robin", "least_connections", "join_idle_queue")
COUNT = "fleets.baristas.count"
ROUTING = "load_balancers.bar.routing"


def main() -> None:
    """Let the optimiser try so many designs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=40)
    trials = parser.parse_args().trials
    shop = nph.Scenario.load(Path(__file__).parent / "coffee-shop-by-call.yaml")
    shop = shop.replace({"traffic.customers.timeout": "10s"})

    def hourly(trial: optuna.Trial) -> float:
        design = {
            COUNT: trial.suggest_int("baristas", 4, 16),
            ROUTING: trial.suggest_categorical("routing", ROUTINGS),
        }
        runs = nph.replicate(shop.replace(design), 3)
        lost = runs["traffic.customers.timed_out"].value + runs["traffic.customers.rejected"].value
        hours = runs.results[0].measured_s / 3600
        return WAGE * trial.params["baristas"] + DRINK * lost / hours

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
    study.enqueue_trial({"baristas": 4, "routing": "random"})
    study.optimize(hourly, n_trials=trials)
    for name, trial in (("first", study.trials[0]), ("best", study.best_trial)):
        baristas, routing = trial.params["baristas"], trial.params["routing"]
        print(f"{name:6} {baristas:2} baristas, {routing:18} ${trial.value:.0f}")


if __name__ == "__main__":
    main()
