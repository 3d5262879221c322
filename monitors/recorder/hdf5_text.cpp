#include "monitors/recorder/hdf5_text.h"

namespace rim::hdf5 {
namespace {

// More than any run holds; a damaged header may claim anything.
constexpr hssize_t kMostTexts = 1'000'000;
constexpr std::size_t kWidestText = 65'536;

Handle text_type(const File& file) {
  Handle type = file.own(H5Tcopy(H5T_C_S1), H5Tclose, "describe text");
  file.check(H5Tset_size(type.id(), H5T_VARIABLE), "describe text");
  file.check(H5Tset_cset(type.id(), H5T_CSET_UTF8), "describe text");
  return type;
}

Handle text_space(const File& file, std::size_t count, bool scalar) {
  const hsize_t size = count;
  return file.own(scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &size, nullptr), H5Sclose, "describe text");
}

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> result;
  result.reserve(texts.size());
  for (const std::string& text : texts) result.push_back(text.c_str());
  return result;
}

void write_attribute(const File& file, hid_t object, const std::string& name, const std::vector<std::string>& texts,
                     bool scalar) {
  const Handle type = text_type(file);
  const Handle space = text_space(file, texts.size(), scalar);
  const Handle attribute = file.own(H5Acreate2(object, name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT),
                                    H5Aclose, "make attribute " + name);
  if (texts.empty()) return;
  file.check(H5Awrite(attribute.id(), type.id(), pointers(texts).data()), "write attribute " + name);
}

// Reads text through `read(memory type, buffer)`, whatever its stored form: other tools write fixed-length text.
template <typename Read>
std::vector<std::string> read_texts(const File& file, hid_t type, hid_t space, const Read& read) {
  if (H5Tget_class(type) != H5T_STRING) {
    throw Error(ExitCode::bad_data, file.path().string() + ": holds numbers where text is expected");
  }
  const hssize_t count = file.check(H5Sget_simple_extent_npoints(space), "read text");
  if (count > kMostTexts) throw Error(ExitCode::bad_data, file.path().string() + ": a list of texts is too long");
  if (count == 0) return {};
  std::vector<std::string> texts;
  if (file.check(H5Tis_variable_str(type), "read text") > 0) {
    const Handle memory = file.own(H5Tcopy(type), H5Tclose, "read text");
    std::vector<char*> values(static_cast<std::size_t>(count), nullptr);
    file.check(read(memory.id(), values.data()), "read text");
    for (const char* value : values) texts.emplace_back(value == nullptr ? "" : value);
    H5Dvlen_reclaim(memory.id(), space, H5P_DEFAULT, values.data());
    return texts;
  }
  const std::size_t width = H5Tget_size(type);
  if (width > kWidestText) throw Error(ExitCode::bad_data, file.path().string() + ": a text is too long");
  std::string values(width * static_cast<std::size_t>(count), '\0');
  file.check(read(type, values.data()), "read text");
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    texts.emplace_back(values.substr(i * width, width).c_str());
  }
  return texts;
}

std::vector<std::string> read_attribute(const File& file, hid_t attribute) {
  const Handle type = file.own(H5Aget_type(attribute), H5Tclose, "read an attribute");
  const Handle space = file.own(H5Aget_space(attribute), H5Sclose, "read an attribute");
  return read_texts(file, type.id(), space.id(),
                    [&](hid_t memory, void* to) { return H5Aread(attribute, memory, to); });
}

herr_t collect_name(hid_t, const char* name, const H5A_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
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

std::map<std::string, std::string> read_text_attributes(const File& file, hid_t object) {
  std::vector<std::string> names;
  hsize_t position = 0;
  file.check(H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &position, collect_name, &names), "list attributes");
  std::map<std::string, std::string> result;
  for (const std::string& name : names) {
    const Handle attribute = file.own(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, "read attribute " + name);
    const Handle type = file.own(H5Aget_type(attribute.id()), H5Tclose, "read attribute " + name);
    if (H5Tget_class(type.id()) != H5T_STRING) continue;
    const std::vector<std::string> texts = read_attribute(file, attribute.id());
    if (texts.size() == 1) result[name] = texts.front();
  }
  return result;
}

Handle write_text_dataset(const File& file, hid_t group, const std::string& name, const std::vector<std::string>& texts,
                          bool scalar) {
  const Handle type = text_type(file);
  const Handle space = text_space(file, texts.size(), scalar);
  Handle dataset =
      file.own(H5Dcreate2(group, name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose,
               "make dataset " + name);
  if (!texts.empty()) {
    file.check(H5Dwrite(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers(texts).data()),
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
