#include "data/support/error.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/trainer_state.h"

namespace rim {
namespace {

TensorMap read_tensors(const SafetensorsFile& file) {
  TensorMap tensors;
  for (const std::string& name : file.names()) tensors[name] = file.read(name);
  return tensors;
}

}  // namespace

void verify_checkpoint(const std::filesystem::path& folder) { verify_files(folder, read_trainer_state(folder)); }

LoadedCheckpoint load_checkpoint(const std::filesystem::path& folder, Decoder& model) {
  const TrainerState state = read_trainer_state(folder);
  if (!state.files.contains(kOptimizerFile)) {
    throw Error(ExitCode::bad_data, folder.string() + ": has no " + kOptimizerFile + " to go on from");
  }
  model.load(WeightFolder(folder));
  return {state.step, state.progress, SafetensorsFile(folder / kOptimizerFile),
          state.files.contains(kObserverFile) ? read_tensors(SafetensorsFile(folder / kObserverFile)) : TensorMap{}};
}

}  // namespace rim
