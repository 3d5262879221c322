#include "launch/verbs/failure.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <exception>
#include <new>
#include <set>
#include <sstream>

#include "data/support/host.h"
#include "data/support/json.h"
#include "trainer/parallel/communicator.h"

namespace rim {
namespace {

// libtorch appends a stack of addresses to its messages, also where only what() was kept of them, and has texts of its
// own for memory that ran out, on CPUs and on GPUs.
std::string without_backtrace(std::string message) {
  for (const char* stack : {"\nException raised from", "frame #0"})
    message.resize(std::min(message.find(stack), message.size()));
  for (const char* exhausted : {"can't allocate memory", "CUDA out of memory", "CUDA error: out of memory"}) {
    if (message.find(exhausted) == std::string::npos) continue;
    return "out of memory: take fewer samples per device, or train fewer parameters (trainable); --dry-run says what "
           "is "
           "needed (" +
           message + ")";
  }
  return message;
}

Failure code_and_message() {
  try {
    throw;
  } catch (const TransportError& error) {
    return {error.code(), error.what(), "", true};
  } catch (const Error& error) {
    return {error.code(), without_backtrace(error.what()), ""};
  } catch (const c10::Error& error) {
    return {ExitCode::software, without_backtrace(error.what_without_backtrace()), ""};
  } catch (const std::bad_alloc&) {
    return {ExitCode::software, "out of memory", ""};
  } catch (const std::exception& error) {
    return {ExitCode::software, without_backtrace(error.what()), ""};
  } catch (...) {
    return {ExitCode::software, "an exception of an unknown type", ""};
  }
}

// A configuration has a line for each problem; any other failure is one line, whatever a library put into its text.
std::vector<std::string> lines_of(const Failure& failure) {
  std::string text = failure.message;
  if (failure.code != ExitCode::config) std::replace(text.begin(), text.end(), '\n', ' ');
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

Failure with_rank(Failure failure, std::size_t rank, std::size_t ranks) {
  const std::string name = "rank " + std::to_string(rank) + " of " + std::to_string(ranks);
  if (!failure.message.starts_with(name)) failure.message = name + " (" + failure.host + "): " + failure.message;
  return failure;
}

bool alike(const std::vector<Failure>& failures) {
  return std::ranges::all_of(failures, [&](const Failure& failure) {
    return failure.code == failures.front().code && failure.message == failures.front().message;
  });
}

}  // namespace

Failure current_failure() {
  Failure failure = code_and_message();
  failure.host = host_name();
  return failure;
}

std::string to_text(const Failure& failure) {
  const Json json{{"code", static_cast<int>(failure.code)},
                  {"message", failure.message},
                  {"host", failure.host},
                  {"of_transport", failure.of_transport}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Failure failure_from_text(const std::string& text) {
  const Json json = Json::parse(text);
  return {static_cast<ExitCode>(json.at("code").get<int>()), json.at("message"), json.at("host"),
          json.at("of_transport")};
}

FailureReport report_failures(const std::vector<Failure>& by_rank) {
  if (alike(by_rank)) return {by_rank.front().code, lines_of(by_rank.front())};
  FailureReport report;
  std::set<std::string> told;
  for (const bool of_transport : {false, true}) {
    for (std::size_t rank = 0; rank < by_rank.size(); ++rank) {
      const Failure& failure = by_rank[rank];
      if (failure.of_transport != of_transport || !told.insert(of_transport ? "" : failure.message).second) continue;
      if (report.lines.empty()) report.code = failure.code;
      for (std::string& line : lines_of(with_rank(failure, rank, by_rank.size()))) {
        report.lines.push_back(std::move(line));
      }
    }
  }
  return report;
}

FailureReport report_failure(const Failure& failure, int rank, int ranks) {
  return {failure.code, lines_of(with_rank(failure, static_cast<std::size_t>(rank), static_cast<std::size_t>(ranks)))};
}

}  // namespace rim
