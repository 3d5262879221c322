// How a failed program ends: one message, every rank gone, the exit code of the error.
#pragma once

#include "trainer/parallel/communicator.h"

namespace rim {

// To be called inside a catch block: shows the exception in flight and returns its exit code.
//
// collective: the failure may be one that all ranks have (they agreed on it, or met it alike): then rank 0 shows it and
// all return. Where the others do not arrive here within seconds it is this rank's alone: they may wait in a collective
// for it, so it shows its own and aborts the world. Does not return then.
int end_with_error(const MpiSession& session, bool collective) noexcept;

}  // namespace rim
