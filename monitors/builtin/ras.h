// Reciprocal Activation Shift (arXiv 2509.00544): does the same set of neurons lose activation on safety prompts while
// it gains activation on the task? Pure functions, thread-safe. docs/methods.md has the formulas and what the paper
// leaves open.
#pragma once

#include <span>
#include <string>

namespace rim {

enum class NegativeShift {
  clip,        // a shift in the other direction counts as none: max(d, 0)
  keep_signed  // taken as it is; the harmonic mean then has a pole at d_safe + d_task = 0
};
enum class ShiftScale {
  none,  // in units of activation
  base   // each shift divided by the set's mean absolute activation in the base model
};
enum class ShiftLevel {
  set,    // activations averaged over the set's neurons first, then one d_safe, d_task and RAS
  neuron  // d_safe, d_task and RAS for each neuron, then averaged
};
enum class ShiftMean { harmonic, geometric, minimum };  // harmonic: the paper's

struct RasRule {
  NegativeShift negative = NegativeShift::clip;
  ShiftScale scale = ShiftScale::none;
  ShiftLevel level = ShiftLevel::set;
  ShiftMean mean = ShiftMean::harmonic;
};

// Activations of one neuron set, averaged over prompts: one value per neuron. All four of the same length.
struct SetActivations {
  std::span<const float> safety_base, safety_now;
  std::span<const float> task_base, task_now;
};

struct RasValue {
  double ras = 0;
  double d_safe = 0;  // base - now on the safety prompts, before any clipping: > 0 where activation was lost
  double d_task = 0;  // now - base on the task prompts, before any clipping: > 0 where activation grew
};

// RAS of two shifts. Harmonic: 2ab / (a + b). Two shifts of zero have a RAS of zero.
double combine_shifts(double d_safe, double d_task, const RasRule& rule);

// How large a set's activations are: what `ShiftScale::base` divides by. NaN for an empty set.
double mean_magnitude(std::span<const float> activations);

// NaN throughout for an empty set.
RasValue reciprocal_activation_shift(const SetActivations& activations, const RasRule& rule);

}  // namespace rim
