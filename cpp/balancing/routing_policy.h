/* nephoscope/routing_policy.h: a routing policy of your own, in C or whatever calls like it.
 *
 * A policy is a function. It is called for every request that its balancer sends, is shown the
 * targets that may be chosen now, and returns the position of one of them, from 0 to count - 1. A
 * negative number is an error: the run ends, and tells it with the balancer's name. Positions
 * change when targets come and go; the number of a target stays.
 *
 * What is shown is valid during the call and must not be changed, but for the state: a block of
 * bytes of the policy's own, as it was given at first, which belongs to the simulation. It is
 * copied with a fork and saved with it. Each cell of a balancer (a target group, a node, a zone)
 * has its own. Whatever else the policy remembers is shared by all simulations of a process, whose
 * threads call it at once and without Python's lock: it had better be nothing.
 *
 * Later versions add members at the end, and raise NEPHOSCOPE_ROUTING_VERSION.
 */

#ifndef NEPHOSCOPE_ROUTING_POLICY_H
#define NEPHOSCOPE_ROUTING_POLICY_H

#include <stdint.h>

#define NEPHOSCOPE_ROUTING_VERSION 1

/* The name of a PyCapsule that holds the address of a policy. */
#define NEPHOSCOPE_ROUTING_CAPSULE "nephoscope_routing_policy"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nephoscope_routing_view {
  uint32_t version; /* of this struct, as the library has it */
  uint32_t count;   /* targets that may be chosen, 1 or more */

  /* By position. */
  const uint32_t* numbers;   /* of the target at its balancer, in the order of joining */
  const uint32_t* in_flight; /* requests that it was sent and has not answered */
  const double* weights;
  const double* latency_ns; /* mean of its response times, 1/8 for the newest; 0 before any */
  const uint32_t* zones;    /* of its host, numbered by the scenario; 0 without hosts */

  /* The request. */
  uint64_t client; /* its index, which is what ip_hash hashes */
  uint64_t hash;   /* of the client, mixed: every bit is as good as any other */
  int64_t now_ns;  /* since the start */
  uint32_t source; /* of traffic, numbered by the scenario */
  uint32_t event;  /* of the message that it is sent for, from 1; 0: what its source says */

  const uint64_t* words; /* random: as many as were asked for, new ones for each request */
  uint64_t words_count;

  void* state; /* aligned to 8 bytes */
  uint64_t state_size;
} nephoscope_routing_view;

typedef int64_t (*nephoscope_routing_policy)(const nephoscope_routing_view* view);

/* A word as a whole number from 0 to n - 1, each as likely but for n / 2^32. */
static inline uint32_t nephoscope_below(uint64_t word, uint32_t n) {
  return (uint32_t)(((word >> 32) * n) >> 32);
}

#ifdef __cplusplus
}
#endif

#endif
