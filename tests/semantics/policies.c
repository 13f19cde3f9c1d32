/* Routing policies as a user would write them, for the tests: twins of ours, and some that fail. */

#include <string.h>

#include <nephoscope/routing_policy.h>

typedef const nephoscope_routing_view view_t;

int64_t any(view_t* view) { return nephoscope_below(view->words[0], view->count); }

int64_t two_choices(view_t* view) {
  if (view->count < 2) return 0;
  uint32_t a = nephoscope_below(view->words[0], view->count);
  uint32_t b = nephoscope_below(view->words[1], view->count - 1);
  if (b >= a) ++b;
  return view->in_flight[b] < view->in_flight[a] ? b : a;
}

/* Each in turn, by a number of its own. */
int64_t in_turn(view_t* view) {
  uint64_t next = 0;
  memcpy(&next, view->state, sizeof next);
  uint64_t after = next + 1;
  memcpy(view->state, &after, sizeof after);
  return (int64_t)(next % view->count);
}

/* Fails at its hundredth request. */
int64_t weary(view_t* view) { return in_turn(view) >= 0 && *(uint64_t*)view->state > 99 ? -3 : 0; }

int64_t beyond(view_t* view) { return view->count; }
