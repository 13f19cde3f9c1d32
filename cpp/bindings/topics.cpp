// nephoscope._core.topics: what topics are (world/spec/topic_specs.hpp), what is said, when
// deliveries are tried again; and what topics tell.

#include "bindings/topic_accounts.hpp"
#include "messaging/delivery_rules.hpp"
#include "world/spec/topic_specs.hpp"

namespace nephoscope {

namespace {

void bind_rules(py::module_& m) {
  py::native_enum<DeliveryCurve>(m, "DeliveryCurve", "enum.Enum")
      .value("linear", DeliveryCurve::linear)
      .value("arithmetic", DeliveryCurve::arithmetic)
      .value("geometric", DeliveryCurve::geometric)
      .value("exponential", DeliveryCurve::exponential)
      .finalize();
  py::native_enum<DeliveryJitter>(m, "DeliveryJitter", "enum.Enum")
      .value("none", DeliveryJitter::none)
      .value("full", DeliveryJitter::full)
      .value("equal", DeliveryJitter::equal)
      .finalize();
  py::class_<DeliveryRules>(m, "DeliveryRules")
      .def(py::init<>())
      .def_readwrite("immediate", &DeliveryRules::immediate)
      .def_readwrite("pre_backoff", &DeliveryRules::pre_backoff)
      .def_readwrite("backoff", &DeliveryRules::backoff)
      .def_readwrite("post_backoff", &DeliveryRules::post_backoff)
      .def_readwrite("curve", &DeliveryRules::curve)
      .def_readwrite("jitter", &DeliveryRules::jitter)
      .def_readwrite("min_ns", &DeliveryRules::min_ns)
      .def_readwrite("max_ns", &DeliveryRules::max_ns)
      .def_readwrite("age_ns", &DeliveryRules::age_ns)
      .def("retries", &DeliveryRules::retries)
      .def(
          "waits",
          [](const DeliveryRules& rules) {
            rules.check();
            py::array_t<std::int64_t> waits(static_cast<py::ssize_t>(rules.retries()));
            std::int64_t* to = waits.mutable_data();
            for (std::uint32_t retry = 0; retry < rules.retries(); ++retry)
              to[retry] = rules.wait(retry);
            return waits;
          },
          "Before each retry, ns, without jitter.");
}

void bind_subscription(py::module_& m) {
  py::class_<FilterChange>(m, "FilterChange")
      .def(py::init<>())
      .def_readwrite("at_ns", &FilterChange::at_ns)
      .def_readwrite("takes", &FilterChange::takes);
  py::class_<SubscriptionSpec>(m, "SubscriptionSpec")
      .def(py::init<>())
      .def_readwrite("to", &SubscriptionSpec::to)
      .def_readwrite("outside", &SubscriptionSpec::outside)
      .def_readwrite("client_errors", &SubscriptionSpec::client_errors)
      .def_readwrite("server_errors", &SubscriptionSpec::server_errors)
      .def_readwrite("duplicates", &SubscriptionSpec::duplicates)
      .def_readwrite("timeout_ns", &SubscriptionSpec::timeout_ns)
      .def_readwrite("retry", &SubscriptionSpec::retry)
      .def_readwrite("receives_per_second", &SubscriptionSpec::receives_per_second)
      .def_readwrite("group", &SubscriptionSpec::group)
      .def_readwrite("rule", &SubscriptionSpec::rule)
      .def_readwrite("dead_letter", &SubscriptionSpec::dead_letter)
      .def_readwrite("becomes", &SubscriptionSpec::becomes)
      .def_readwrite("letters", &SubscriptionSpec::letters)
      .def_readwrite("by_retries", &SubscriptionSpec::by_retries)
      .def_readwrite("takes", &SubscriptionSpec::takes)
      .def_readwrite("changes", &SubscriptionSpec::changes)
      .def_readwrite("confirmed_ns", &SubscriptionSpec::confirmed_ns);
}

// Of the targets of a bus, whether and how often they were due by themselves, where any are.
void tell_schedules(py::dict& out, const TopicAccount& account) {
  std::vector<bool> timed;
  std::vector<std::uint64_t> scheduled;
  bool any = false;
  for (const SubscriptionAccount& each : account.subscriptions) {
    timed.push_back(each.scheduled);
    scheduled.push_back(each.counts.scheduled);
    any = any || each.scheduled;
  }
  if (!any) return;
  out["timed"] = timed;
  out["scheduled"] = scheduled;
}

// One of the counts, of each subscription.
std::vector<std::uint64_t> column(const TopicAccount& account,
                                  std::uint64_t DeliveryCounts::* count) {
  std::vector<std::uint64_t> values;
  for (const SubscriptionAccount& each : account.subscriptions)
    values.push_back(each.counts.*count);
  return values;
}

void tell_archive(py::dict& out, const TopicAccount& account) {
  out["archived"] = account.archived;
  out["replayed"] = account.replayed;
  out["replaying"] = account.replaying;
  out["refused_replays"] = account.refused_replays;
  out["held_s"] = account.held_s;
  out["replayed_to"] = column(account, &DeliveryCounts::replayed);
}

// Of the entries of a bus, as far as it looks at them.
void tell_entries(py::dict& out, const TopicAccount& account) {
  if (account.refuses) out["malformed"] = account.entries.malformed;
  if (!account.sizes) return;
  out["chunks"] = account.entries.chunks;
  out["replayed_chunks"] = account.entries.replayed_chunks;
  out["archived_bytes"] = account.entries.archived_bytes;
}

// Why deliveries were given up, a row for each subscription: by the failure of the last attempt
// (DeliveryFailure), by why there was no other (DeliveryEnd), and the attempts beyond the first.
void tell_given_up(py::dict& out, const TopicAccount& account) {
  std::vector<std::vector<std::uint64_t>> rows;
  std::uint64_t all = 0;
  for (const SubscriptionAccount& each : account.subscriptions) {
    const GivenUp& it = each.counts.given_up;
    std::vector<std::uint64_t>& row = rows.emplace_back(it.failures.begin(), it.failures.end());
    row.insert(row.end(), it.ends.begin(), it.ends.end());
    row.push_back(it.retries);
    all += each.counts.dead_lettered + each.counts.dropped;
  }
  if (all != 0) out["given_up"] = rows;
}

}  // namespace

void bind_topics(py::module_& parent) {
  py::module_ m = parent.def_submodule("topics", "Topics, and what is said.");
  bind_rules(m);
  py::class_<EventChoice>(m, "EventChoice")
      .def(py::init<>())
      .def_readwrite("kinds", &EventChoice::kinds)
      .def_readwrite("weights", &EventChoice::weights)
      .def_readwrite("by_serial", &EventChoice::by_serial);
  bind_subscription(m);
  py::class_<TopicSpec>(m, "TopicSpec")
      .def(py::init<>())
      .def_readwrite("name", &TopicSpec::name)
      .def_readwrite("fifo", &TopicSpec::fifo)
      .def_readwrite("group_deduplication", &TopicSpec::group_deduplication)
      .def_readwrite("publishes_per_second", &TopicSpec::publishes_per_second)
      .def_readwrite("group_publishes_per_second", &TopicSpec::group_publishes_per_second)
      .def_readwrite("latency", &TopicSpec::latency)
      .def_readwrite("subscriptions", &TopicSpec::subscriptions);
  py::class_<ReplaySpec>(m, "ReplaySpec")
      .def(py::init<>())
      .def_readwrite("bus", &ReplaySpec::bus)
      .def_readwrite("at_ns", &ReplaySpec::at_ns)
      .def_readwrite("since_ns", &ReplaySpec::since_ns)
      .def_readwrite("until_ns", &ReplaySpec::until_ns)
      .def_readwrite("rules", &ReplaySpec::rules)
      .def_readwrite("becomes", &ReplaySpec::becomes);
  py::class_<BusSpec>(m, "BusSpec")
      .def(py::init<>())
      .def_readwrite("name", &BusSpec::name)
      .def_readwrite("archives", &BusSpec::archives)
      .def_readwrite("retention_ns", &BusSpec::retention_ns)
      .def_readwrite("archive_lag_ns", &BusSpec::archive_lag_ns)
      .def_readwrite("archive_takes", &BusSpec::archive_takes)
      .def_readwrite("puts_per_second", &BusSpec::puts_per_second)
      .def_readwrite("invocations_per_second", &BusSpec::invocations_per_second)
      .def_readwrite("latency", &BusSpec::latency)
      .def_readwrite("sizes", &BusSpec::sizes)
      .def_readwrite("malformed", &BusSpec::malformed)
      .def_readwrite("rules", &BusSpec::rules)
      .def_readwrite("targets", &BusSpec::targets);
  py::class_<MessageQuotas>(m, "MessageQuotas")
      .def(py::init<>())
      .def_readwrite("publishes_per_second", &MessageQuotas::publishes_per_second)
      .def_readwrite("puts_per_second", &MessageQuotas::puts_per_second)
      .def_readwrite("invocations_per_second", &MessageQuotas::invocations_per_second);
}

py::dict topic_dict(const TopicAccount& account) {
  py::dict out;
  out["name"] = account.name;
  out["published"] = account.published;
  out["deduplicated"] = account.deduplicated;
  out["throttled"] = account.throttled;
  out["calls"] = account.calls;
  std::vector<std::uint64_t> columns[6];
  for (const SubscriptionAccount& each : account.subscriptions) {
    const DeliveryCounts& counts = each.counts;
    const std::uint64_t row[] = {counts.delivered,     counts.filtered, counts.retried,
                                 counts.dead_lettered, counts.dropped,  each.pending};
    for (std::size_t at = 0; at < 6; ++at) columns[at].push_back(row[at]);
  }
  const char* names[] = {"delivered", "filtered", "retried", "dead_lettered", "dropped", "pending"};
  for (std::size_t at = 0; at < 6; ++at) out[names[at]] = py::cast(columns[at]);
  if (account.archives) tell_archive(out, account);
  tell_entries(out, account);
  if (account.limits_invocations) out["delayed"] = column(account, &DeliveryCounts::delayed);
  if (account.duplicates) out["duplicated"] = column(account, &DeliveryCounts::duplicated);
  if (account.errs) out["client_errors"] = column(account, &DeliveryCounts::client_errors);
  if (account.confirms) out["unconfirmed"] = column(account, &DeliveryCounts::unconfirmed);
  if (account.rules.empty()) return out;
  std::vector<std::uint32_t> rule;
  for (const SubscriptionAccount& each : account.subscriptions) rule.push_back(each.rule);
  out["rules"] = account.rules;
  out["rule"] = rule;
  tell_schedules(out, account);
  tell_given_up(out, account);
  return out;
}

}  // namespace nephoscope
