#include <mpi.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <limits>
#include <memory>
#include <numeric>

#include "trainer/parallel/communicator.h"
#include "trainer/parallel/mpi_calls.h"
#include "trainer/parallel/mpi_reduction.h"

namespace rim {
namespace {

// srun without a PMI that this MPI speaks starts n processes that each believe to be alone, and would train n times.
// mpirun -np 1 inside a Slurm job is a world of one by intention; it leaves its own mark in the environment.
void refuse_slurm_singletons(int world_size) {
  const char* text = std::getenv("SLURM_NTASKS");
  const int tasks = text == nullptr ? 1 : std::atoi(text);
  if (world_size != 1 || tasks <= 1 || std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr) return;
  throw Error(ExitCode::config, "Slurm has " + std::to_string(tasks) +
                                    " tasks, but MPI sees one rank: start with `srun --mpi=pmix rimscope ...` or "
                                    "`mpirun rimscope ...`, or ask for --ntasks=1");
}

// Waits for a request that reads and writes `buffers`. When that fails MPI may still use them, as nothing can cancel a
// collective; that happens only while an error ends the run, so they are left allocated.
template <typename Buffers>
void wait_for(MPI_Request request, std::unique_ptr<Buffers>& buffers, const MpiWaiter& waiter,
              const std::string& name) {
  try {
    waiter.wait({&request, 1}, name);
  } catch (const Error&) {
    static_cast<void>(buffers.release());
    throw;
  }
}

struct Lengths {
  std::int64_t mine = 0;
  std::vector<std::int64_t> all;
};

struct Texts {
  std::string mine, all;
  std::vector<int> lengths, offsets;  // of the ranks' texts in `all`
};

class NothingPending : public PendingReduction {
 public:
  void wait() override {}
};

class MpiCommunicator : public Communicator {
 public:
  explicit MpiCommunicator(const CommunicatorOptions& options);
  ~MpiCommunicator() override;
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }
  std::unique_ptr<PendingReduction> start_all_reduce_sum(at::Tensor tensor, const std::string& name) override;
  double sum(double value, const std::string& name) override { return reduce(value, MPI_SUM, name); }
  double maximum(double value, const std::string& name) override { return reduce(value, MPI_MAX, name); }
  std::vector<std::string> all_gather(const std::string& value, const std::string& name) override;

 private:
  [[nodiscard]] MpiWaiter waiter() const { return {rank_, size_, options_.timeout}; }
  double reduce(double value, MPI_Op operation, const std::string& name);
  void duplicate_world();
  std::vector<int> gather_lengths(const std::string& value, const std::string& name);

  MPI_Comm communicator_ = MPI_COMM_NULL;
  CommunicatorOptions options_;
  int rank_ = 0, size_ = 1;
};

MpiCommunicator::MpiCommunicator(const CommunicatorOptions& options) : options_(options) {
  check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank", "start");
  check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size", "start");
  duplicate_world();
  check_mpi(MPI_Comm_set_errhandler(communicator_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler", "start");
  options_.piece_elements = std::min<std::int64_t>(options_.piece_elements, std::numeric_limits<int>::max());
}

void MpiCommunicator::duplicate_world() {
  auto duplicate = std::make_unique<MPI_Comm>(MPI_COMM_NULL);
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Comm_idup(MPI_COMM_WORLD, duplicate.get(), &request), "MPI_Comm_idup", "start");
  wait_for(request, duplicate, waiter(), "all ranks meet at the start");
  communicator_ = *duplicate;
}

// While an error ends the run, other ranks may be gone or stuck and requests unfinished: touch nothing then.
MpiCommunicator::~MpiCommunicator() {
  int finalized = 0;
  if (std::uncaught_exceptions() > 0 || MPI_Finalized(&finalized) != MPI_SUCCESS || finalized != 0) return;
  MPI_Comm_free(&communicator_);
}

std::unique_ptr<PendingReduction> MpiCommunicator::start_all_reduce_sum(at::Tensor tensor, const std::string& name) {
  if (size_ == 1) return std::make_unique<NothingPending>();
  return std::make_unique<MpiReduction>(communicator_, std::move(tensor), name, waiter(), options_.piece_elements);
}

double MpiCommunicator::reduce(double value, MPI_Op operation, const std::string& name) {
  if (size_ == 1) return value;
  auto result = std::make_unique<double>(value);
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallreduce(MPI_IN_PLACE, result.get(), 1, MPI_DOUBLE, operation, communicator_, &request),
            "MPI_Iallreduce", name);
  wait_for(request, result, waiter(), name);
  return *result;
}

std::vector<int> MpiCommunicator::gather_lengths(const std::string& value, const std::string& name) {
  auto lengths = std::make_unique<Lengths>();
  lengths->mine = static_cast<std::int64_t>(value.size());
  lengths->all.resize(static_cast<std::size_t>(size_));
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(
      MPI_Iallgather(&lengths->mine, 1, MPI_INT64_T, lengths->all.data(), 1, MPI_INT64_T, communicator_, &request),
      "MPI_Iallgather", name);
  wait_for(request, lengths, waiter(), name);
  if (std::accumulate(lengths->all.begin(), lengths->all.end(), std::int64_t{0}) > std::numeric_limits<int>::max()) {
    throw Error(ExitCode::software, "'" + name + "' gathers more than 2 GiB of text");
  }
  return {lengths->all.begin(), lengths->all.end()};
}

std::vector<std::string> MpiCommunicator::all_gather(const std::string& value, const std::string& name) {
  if (size_ == 1) return {value};
  auto texts = std::make_unique<Texts>();
  texts->mine = value;
  texts->lengths = gather_lengths(value, name);
  texts->offsets.resize(texts->lengths.size());
  std::exclusive_scan(texts->lengths.begin(), texts->lengths.end(), texts->offsets.begin(), 0);
  texts->all.resize(static_cast<std::size_t>(texts->offsets.back() + texts->lengths.back()));
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallgatherv(texts->mine.data(), static_cast<int>(value.size()), MPI_BYTE, texts->all.data(),
                            texts->lengths.data(), texts->offsets.data(), MPI_BYTE, communicator_, &request),
            "MPI_Iallgatherv", name);
  wait_for(request, texts, waiter(), name);
  std::vector<std::string> values;
  for (std::size_t i = 0; i < texts->lengths.size(); ++i) {
    values.push_back(
        texts->all.substr(static_cast<std::size_t>(texts->offsets[i]), static_cast<std::size_t>(texts->lengths[i])));
  }
  return values;
}

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator(const CommunicatorOptions& options) {
  int world_size = 0;
  check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &world_size), "MPI_Comm_size", "start");
  refuse_slurm_singletons(world_size);
  return std::make_unique<MpiCommunicator>(options);
}

}  // namespace rim
