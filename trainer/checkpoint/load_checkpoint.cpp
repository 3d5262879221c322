#include "data/support/error.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/trainer_state.h"

namespace rim {
namespace {

TensorMap read_tensors(const std::filesystem::path& folder, const char* name, const TrainerState& state) {
  TensorMap tensors;
  if (!state.files.contains(name)) return tensors;
  const SafetensorsFile file(folder / name);
  for (const std::string& tensor : file.names()) tensors[tensor] = file.read(tensor);
  return tensors;
}

}  // namespace

LoadedCheckpoint load_checkpoint(const std::filesystem::path& folder, Decoder& model) {
  const TrainerState state = read_trainer_state(folder);
  verify_files(folder, state);
  model.load(WeightFolder(folder));
  return {state.step, state.progress, read_tensors(folder, kOptimizerFile, state),
          read_tensors(folder, kObserverFile, state)};
}

}  // namespace rim
