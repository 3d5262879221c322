// NCCL for CUDA tensors; CPU tensors, scalars and strings go to the host communicator.
#include <ATen/core/grad_mode.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <cuda_runtime_api.h>

#include <cstring>
#include <map>

#include "trainer/parallel/nccl/nccl_calls.h"
#include "trainer/parallel/nccl_backend.h"

namespace rim {
namespace {

using c10::cuda::CUDAEvent;
using c10::cuda::CUDAStream;

at::ScalarType wire_type(const at::Tensor& tensor, const std::string& name) {
  const at::ScalarType type = tensor.scalar_type();
  if (type == at::kBFloat16) return at::kFloat;
  if (type == at::kFloat || type == at::kDouble || type == at::kLong) return type;
  throw Error(ExitCode::software, "cannot sum " + std::string(at::toString(type)) + " over ranks in '" + name + "'");
}

ncclDataType_t nccl_type(at::ScalarType type) {
  if (type == at::kFloat) return ncclFloat32;
  return type == at::kDouble ? ncclFloat64 : ncclInt64;
}

// An operation on NCCL's stream whose end is marked by an event.
class NcclReduction : public PendingReduction {
 public:
  NcclReduction(std::shared_ptr<NcclHandle> nccl, CUDAStream stream, at::Tensor tensor, std::string name);
  bool poll() override;
  void wait() override;

 private:
  std::shared_ptr<NcclHandle> nccl_;
  at::Tensor tensor_;
  at::Tensor staged_;  // tensor_ itself where it is contiguous and of a type that NCCL sums as we want
  std::string name_;
  CUDAEvent done_;
  bool waited_ = false;
};

// `stream` begins what is queued on it from here on only after the work that the current stream has so far.
void order_after_current(CUDAStream stream) {
  CUDAEvent ready;
  ready.record(c10::cuda::getCurrentCUDAStream(stream.device_index()));
  ready.block(stream);
}

NcclReduction::NcclReduction(std::shared_ptr<NcclHandle> nccl, CUDAStream stream, at::Tensor tensor, std::string name)
    : nccl_(std::move(nccl)), tensor_(std::move(tensor)), name_(std::move(name)) {
  const at::NoGradGuard no_grad;
  const c10::cuda::CUDAGuard on_device(stream.device_index());
  staged_ = tensor_.detach().to(wire_type(tensor_, name_)).contiguous();
  // Should nobody wait, because an error ends the run, the allocator must not reuse the memory too early.
  staged_.record_stream(stream.unwrap());
  order_after_current(stream);
  nccl_->enqueue("ncclAllReduce", name_, [&](ncclComm_t communicator) {
    return ncclAllReduce(staged_.data_ptr(), staged_.mutable_data_ptr(), static_cast<std::size_t>(staged_.numel()),
                         nccl_type(staged_.scalar_type()), ncclSum, communicator, stream.stream());
  });
  done_.record(stream);
}

bool NcclReduction::poll() {
  nccl_->require_healthy(name_);
  return done_.query();
}

void NcclReduction::wait() {
  if (waited_) return;
  nccl_->wait(done_, name_);
  waited_ = true;
  const at::NoGradGuard no_grad;
  if (staged_.data_ptr() != tensor_.data_ptr()) tensor_.copy_(staged_);
}

class NcclCommunicator : public Communicator {
 public:
  NcclCommunicator(std::unique_ptr<Communicator> host, int cuda_device, const CommunicatorOptions& options);

  [[nodiscard]] int rank() const override { return host_->rank(); }
  [[nodiscard]] int size() const override { return host_->size(); }
  std::unique_ptr<PendingReduction> start_all_reduce_sum(at::Tensor tensor, const std::string& name) override;
  double sum(double value, const std::string& name) override { return host_->sum(value, name); }
  double maximum(double value, const std::string& name) override { return host_->maximum(value, name); }
  std::vector<std::string> all_gather(const std::string& value, const std::string& name) override {
    return host_->all_gather(value, name);
  }

 private:
  void refuse_shared_devices(int cuda_device);
  ncclUniqueId shared_unique_id();
  void require_own_device(const at::Tensor& tensor, const std::string& name) const;

  std::unique_ptr<Communicator> host_;
  CUDAStream stream_;
  std::shared_ptr<NcclHandle> nccl_;
};

std::string device_uuid(int cuda_device) {
  cudaDeviceProp properties{};
  const cudaError_t result = cudaGetDeviceProperties(&properties, cuda_device);
  if (result != cudaSuccess) {
    throw Error(ExitCode::config,
                "CUDA device " + std::to_string(cuda_device) + " does not answer: " + cudaGetErrorString(result));
  }
  return {properties.uuid.bytes, sizeof properties.uuid.bytes};
}

CUDAStream own_stream(int cuda_device) {
  // High priority: a reduction that is ready should not queue behind backward's kernels.
  return c10::cuda::getStreamFromPool(true, static_cast<c10::DeviceIndex>(cuda_device));
}

NcclCommunicator::NcclCommunicator(std::unique_ptr<Communicator> host, int cuda_device,
                                   const CommunicatorOptions& options)
    : host_(std::move(host)), stream_((refuse_shared_devices(cuda_device), own_stream(cuda_device))) {
  const c10::cuda::CUDAGuard on_device(static_cast<c10::DeviceIndex>(cuda_device));
  const ncclUniqueId id = shared_unique_id();
  // Collective itself: a rank that fails here must say so at once, not after waiting for ranks that wait for it.
  nccl_ = std::make_shared<NcclHandle>(id, host_->rank(), host_->size(), options.timeout);
}

void NcclCommunicator::refuse_shared_devices(int cuda_device) {
  std::string mine;
  host_->together("look up the GPU", [&] { mine = device_uuid(cuda_device); });
  std::map<std::string, std::size_t> first_rank;
  const auto devices = host_->all_gather(mine, "compare the GPUs");
  for (std::size_t rank = 0; rank < devices.size(); ++rank) {
    const auto [entry, fresh] = first_rank.emplace(devices[rank], rank);
    if (fresh) continue;
    throw Error(ExitCode::config, "ranks " + std::to_string(entry->second) + " and " + std::to_string(rank) +
                                      " share one GPU, which NCCL cannot: start one rank per GPU, or use the MPI "
                                      "communicator");
  }
}

ncclUniqueId NcclCommunicator::shared_unique_id() {
  ncclUniqueId id{};
  host_->together("make NCCL's id", [&] {
    if (host_->rank() == 0) check_nccl(ncclGetUniqueId(&id), "ncclGetUniqueId", "start of NCCL");
  });
  const std::string mine(id.internal, sizeof id.internal);
  const std::string first = host_->all_gather(mine, "hand out NCCL's id").front();
  std::memcpy(id.internal, first.data(), sizeof id.internal);
  return id;
}

void NcclCommunicator::require_own_device(const at::Tensor& tensor, const std::string& name) const {
  if (tensor.get_device() == stream_.device_index()) return;
  throw Error(ExitCode::software, "'" + name + "': the tensor lies on CUDA device " +
                                      std::to_string(tensor.get_device()) + ", this rank's is " +
                                      std::to_string(stream_.device_index()));
}

std::unique_ptr<PendingReduction> NcclCommunicator::start_all_reduce_sum(at::Tensor tensor, const std::string& name) {
  if (!tensor.is_cuda()) return host_->start_all_reduce_sum(std::move(tensor), name);
  require_own_device(tensor, name);
  return std::make_unique<NcclReduction>(nccl_, stream_, std::move(tensor), name);
}

int device_count() { return c10::cuda::device_count(); }

std::unique_ptr<Communicator> make(std::unique_ptr<Communicator> host, int cuda_device,
                                   const CommunicatorOptions& options) {
  return std::make_unique<NcclCommunicator>(std::move(host), cuda_device, options);
}

}  // namespace
}  // namespace rim

const rim::NcclBackend* rim_nccl_backend() {
  static const rim::NcclBackend backend{rim::kNcclBackendInterface, &rim::device_count, &rim::make};
  return &backend;
}
