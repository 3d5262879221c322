#include "monitors/recorder/hdf5_text.h"

#include <algorithm>

namespace rim::hdf5 {
namespace {

// More than any run holds; a damaged header may claim anything.
constexpr std::size_t kMostBytes = std::size_t{1} << 28U;
constexpr std::size_t kChunkBytes = std::size_t{1} << 18U;

std::size_t widest(const std::vector<std::string>& texts) {
  std::size_t width = 1;  // HDF5 has no text type of length 0
  for (const std::string& text : texts) width = std::max(width, text.size());
  return width;
}

Handle text_type(const File& file, std::size_t width) {
  Handle type = file.own(H5Tcopy(H5T_C_S1), H5Tclose, "describe text");
  file.check(H5Tset_size(type.id(), width), "describe text");
  file.check(H5Tset_strpad(type.id(), H5T_STR_NULLPAD), "describe text");
  file.check(H5Tset_cset(type.id(), H5T_CSET_UTF8), "describe text");
  return type;
}

Handle text_space(const File& file, std::size_t count, bool scalar) {
  const hsize_t size = count;
  return file.own(scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &size, nullptr), H5Sclose, "describe text");
}

std::string padded(const std::vector<std::string>& texts, std::size_t width) {
  std::string bytes;
  bytes.reserve(texts.size() * width);
  for (const std::string& text : texts) bytes.append(text).append(width - text.size(), '\0');
  return bytes;
}

void write_attribute(const File& file, hid_t object, const std::string& name, const std::vector<std::string>& texts,
                     bool scalar) {
  const std::size_t width = widest(texts);
  const Handle type = text_type(file, width);
  const Handle space = text_space(file, texts.size(), scalar);
  const Handle attribute = file.own(H5Acreate2(object, name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT),
                                    H5Aclose, "make attribute " + name);
  if (texts.empty()) return;
  file.check(H5Awrite(attribute.id(), type.id(), padded(texts, width).data()), "write attribute " + name);
}

// Padding compresses to nothing, so long lists are compressed.
Handle text_storage(const File& file, std::size_t count, std::size_t width) {
  Handle properties = file.own(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "describe text");
  if (count < 2 || count * width < kChunkBytes) return properties;
  const hsize_t chunk = std::clamp<hsize_t>(kChunkBytes / width, 1, count);
  file.check(H5Pset_chunk(properties.id(), 1, &chunk), "describe text");
  file.check(H5Pset_deflate(properties.id(), 4), "describe text");
  return properties;
}

// Reads text through `read(memory type, buffer)`.
template <typename Read>
std::vector<std::string> read_texts(const File& file, hid_t type, hid_t space, const Read& read) {
  if (H5Tget_class(type) != H5T_STRING) file.refuse("holds numbers where text is expected");
  if (H5Tis_variable_str(type) != 0) file.refuse("holds text of variable length, which is not read");
  const std::size_t width = H5Tget_size(type);
  const auto count = static_cast<std::size_t>(file.check(H5Sget_simple_extent_npoints(space), "read text"));
  if (width == 0 || count > kMostBytes / width) file.refuse("a list of texts is too long");
  if (count == 0) return {};
  std::string bytes(width * count, '\0');
  file.check(read(type, bytes.data()), "read text");
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text = bytes.substr(i * width, width);
    texts.push_back(text.substr(0, text.find('\0')));
  }
  return texts;
}

std::vector<std::string> read_attribute(const File& file, hid_t attribute) {
  const Handle type = file.own(H5Aget_type(attribute), H5Tclose, "read an attribute");
  const Handle space = file.own(H5Aget_space(attribute), H5Sclose, "read an attribute");
  return read_texts(file, type.id(), space.id(),
                    [&](hid_t memory, void* to) { return H5Aread(attribute, memory, to); });
}

}  // namespace

void write_text_attribute(const File& file, hid_t object, const std::string& name, const std::string& text) {
  write_attribute(file, object, name, {text}, true);
}

void write_text_list_attribute(const File& file, hid_t object, const std::string& name,
                               const std::vector<std::string>& texts) {
  write_attribute(file, object, name, texts, false);
}

std::vector<std::string> read_text_attribute(const File& file, hid_t object, const std::string& name) {
  if (file.check(H5Aexists(object, name.c_str()), "look for attribute " + name) == 0) return {};
  const Handle attribute = file.own(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, "read attribute " + name);
  return read_attribute(file, attribute.id());
}

Handle write_text_dataset(const File& file, hid_t group, const std::string& name, const std::vector<std::string>& texts,
                          bool scalar) {
  const std::size_t width = widest(texts);
  const Handle type = text_type(file, width);
  const Handle space = text_space(file, texts.size(), scalar);
  const Handle storage = text_storage(file, texts.size(), width);
  Handle dataset =
      file.own(H5Dcreate2(group, name.c_str(), type.id(), space.id(), H5P_DEFAULT, storage.id(), H5P_DEFAULT), H5Dclose,
               "make dataset " + name);
  if (!texts.empty()) {
    file.check(H5Dwrite(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, padded(texts, width).data()),
               "write dataset " + name);
  }
  return dataset;
}

std::vector<std::string> read_text_dataset(const File& file, hid_t dataset) {
  const Handle type = file.own(H5Dget_type(dataset), H5Tclose, "read text");
  const Handle space = file.own(H5Dget_space(dataset), H5Sclose, "read text");
  return read_texts(file, type.id(), space.id(), [&](hid_t memory, void* to) {
    return H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, to);
  });
}

}  // namespace rim::hdf5
