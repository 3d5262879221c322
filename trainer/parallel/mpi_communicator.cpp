#include <ATen/core/grad_mode.h>
#include <mpi.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <limits>
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
  void broadcast(at::Tensor tensor, int root, const std::string& name) override;
  double sum(double value, const std::string& name) override { return reduce(value, MPI_SUM, name); }
  double maximum(double value, const std::string& name) override { return reduce(value, MPI_MAX, name); }
  std::vector<std::string> all_gather(const std::string& value, const std::string& name) override;
  void barrier(const std::string& name) override;

 private:
  [[nodiscard]] MpiWaiter waiter() const { return {rank_, size_, options_.timeout}; }
  double reduce(double value, MPI_Op operation, const std::string& name);
  std::vector<int> gather_lengths(const std::string& value, const std::string& name);

  MPI_Comm communicator_ = MPI_COMM_NULL;
  CommunicatorOptions options_;
  int rank_ = 0, size_ = 1;
};

MpiCommunicator::MpiCommunicator(const CommunicatorOptions& options) : options_(options) {
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &communicator_), "MPI_Comm_dup", "start");
  check_mpi(MPI_Comm_set_errhandler(communicator_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler", "start");
  check_mpi(MPI_Comm_rank(communicator_, &rank_), "MPI_Comm_rank", "start");
  check_mpi(MPI_Comm_size(communicator_, &size_), "MPI_Comm_size", "start");
  options_.piece_elements = std::min<std::int64_t>(options_.piece_elements, std::numeric_limits<int>::max());
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

void MpiCommunicator::broadcast(at::Tensor tensor, int root, const std::string& name) {
  if (size_ == 1) return;
  const at::NoGradGuard no_grad;
  const at::Tensor staged = tensor.detach().to(at::kCPU).contiguous();
  auto* bytes = static_cast<std::byte*>(staged.mutable_data_ptr());
  const auto total = static_cast<std::int64_t>(staged.nbytes());
  for (std::int64_t first = 0; first < total; first += options_.piece_elements) {
    const auto count = static_cast<int>(std::min(options_.piece_elements, total - first));
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Ibcast(bytes + first, count, MPI_BYTE, root, communicator_, &request), "MPI_Ibcast", name);
    waiter().wait({&request, 1}, name);
  }
  if (rank_ != root && staged.data_ptr() != tensor.data_ptr()) tensor.copy_(staged);
}

double MpiCommunicator::reduce(double value, MPI_Op operation, const std::string& name) {
  if (size_ == 1) return value;
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, operation, communicator_, &request), "MPI_Iallreduce",
            name);
  waiter().wait({&request, 1}, name);
  return value;
}

std::vector<int> MpiCommunicator::gather_lengths(const std::string& value, const std::string& name) {
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(size_));
  const auto mine = static_cast<std::int64_t>(value.size());
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallgather(&mine, 1, MPI_INT64_T, lengths.data(), 1, MPI_INT64_T, communicator_, &request),
            "MPI_Iallgather", name);
  waiter().wait({&request, 1}, name);
  if (std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0}) > std::numeric_limits<int>::max()) {
    throw Error(ExitCode::software, "'" + name + "' gathers more than 2 GiB of text");
  }
  return {lengths.begin(), lengths.end()};
}

std::vector<std::string> MpiCommunicator::all_gather(const std::string& value, const std::string& name) {
  if (size_ == 1) return {value};
  const std::vector<int> lengths = gather_lengths(value, name);
  std::vector<int> offsets(lengths.size());
  std::exclusive_scan(lengths.begin(), lengths.end(), offsets.begin(), 0);
  std::string all(static_cast<std::size_t>(offsets.back() + lengths.back()), '\0');
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallgatherv(value.data(), static_cast<int>(value.size()), MPI_BYTE, all.data(), lengths.data(),
                            offsets.data(), MPI_BYTE, communicator_, &request),
            "MPI_Iallgatherv", name);
  waiter().wait({&request, 1}, name);
  std::vector<std::string> values;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    values.push_back(all.substr(static_cast<std::size_t>(offsets[i]), static_cast<std::size_t>(lengths[i])));
  }
  return values;
}

void MpiCommunicator::barrier(const std::string& name) {
  if (size_ == 1) return;
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ibarrier(communicator_, &request), "MPI_Ibarrier", name);
  waiter().wait({&request, 1}, name);
}

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator(const CommunicatorOptions& options) {
  int world_size = 0;
  check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &world_size), "MPI_Comm_size", "start");
  refuse_slurm_singletons(world_size);
  return std::make_unique<MpiCommunicator>(options);
}

}  // namespace rim
