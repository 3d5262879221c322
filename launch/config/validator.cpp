#include "launch/config/validator.h"

#include <algorithm>
#include <string_view>

#include "launch/config/bounds.h"
#include "launch/config/hints.h"
#include "launch/config/scalars.h"

namespace rim {
namespace {

using Kind = ConfigNode::Kind;

std::string joined(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + "." + std::string(name);
}

class Validator {
 public:
  Validator(const std::vector<OptionSpec>& root_specs, Problems& problems)
      : root_specs_(root_specs), problems_(problems) {}

  Json section(const ConfigNode& node, const std::vector<OptionSpec>& specs, const std::string& path) {
    Json result = Json::object();
    if (node.kind == Kind::refused) return result;
    if (node.kind != Kind::section && node.kind != Kind::empty) {
      problems_.add(node.place, quote(path) + " must be a section of key: value lines, but is " + describe(node));
      return result;
    }
    report_unknown(node, specs, path);
    for (const OptionSpec& spec : specs) result[spec.name] = member(node, spec, path);
    return result;
  }

 private:
  static std::string quote(const std::string& path) { return path.empty() ? "the configuration" : "'" + path + "'"; }

  void report_unknown(const ConfigNode& node, const std::vector<OptionSpec>& specs, const std::string& path) {
    for (const ConfigMember& entry : node.members) {
      const bool known =
          std::any_of(specs.begin(), specs.end(), [&](const auto& spec) { return spec.name == entry.name; });
      if (!known)
        problems_.add(entry.place, "'" + joined(path, entry.name) + "' is unknown" +
                                       hint_for_unknown(entry.name, path, specs, root_specs_));
    }
  }

  Json member(const ConfigNode& node, const OptionSpec& spec, const std::string& path) {
    const ConfigNode* given = node.member(spec.name);
    const std::string full_path = joined(path, spec.name);
    const bool absent = given == nullptr || (given->kind == Kind::empty && spec.fallback.is_null());
    if (!absent) return value(*given, spec, full_path);
    if (spec.required) problems_.add(node.place, "'" + full_path + "' is missing: " + spec.help);
    return absent_value(node.place, spec, full_path);
  }

  Json absent_value(const Place& place, const OptionSpec& spec, const std::string& path) {
    if (spec.type == OptionType::section_list) return Json::array();
    if (spec.type == OptionType::section_map) return Json::object();
    if (spec.type != OptionType::section) return spec.fallback;
    ConfigNode nothing;
    nothing.place = place;
    // A missing section is reported once, not once more for each key it would have needed.
    Problems unreported;
    return Validator(root_specs_, spec.required ? unreported : problems_).section(nothing, spec.members, path);
  }

  Json value(const ConfigNode& node, const OptionSpec& spec, const std::string& path) {
    if (node.kind == Kind::refused) return nullptr;
    switch (spec.type) {
      case OptionType::boolean:
        return boolean(node, path);
      case OptionType::integer:
        return integer(node, spec, path);
      case OptionType::number:
        return number(node, spec, path);
      case OptionType::string:
        return text(node, spec, path);
      case OptionType::string_list:
        return text_list(node, spec, path);
      case OptionType::section:
        return section(node, spec.members, path);
      case OptionType::section_list:
        return section_list(node, spec, path);
      case OptionType::section_map:
        return section_map(node, spec, path);
    }
    return nullptr;
  }

  void wrong_type(const ConfigNode& node, const std::string& path, const std::string& wanted) {
    if (node.kind == Kind::refused) return;
    problems_.add(node.place, "'" + path + "' must be " + wanted + ", but is " + describe(node));
  }

  Json boolean(const ConfigNode& node, const std::string& path) {
    if (const auto found = as_boolean(node)) return *found;
    wrong_type(node, path, "true or false");
    return nullptr;
  }

  Json integer(const ConfigNode& node, const OptionSpec& spec, const std::string& path) {
    const auto found = as_integer(node);
    if (!found) {
      wrong_type(node, path, "a whole number");
      return nullptr;
    }
    check_bounds(node, static_cast<double>(*found), spec, path);
    return *found;
  }

  Json number(const ConfigNode& node, const OptionSpec& spec, const std::string& path) {
    const auto found = as_number(node);
    if (!found) {
      wrong_type(node, path, "a number");
      return nullptr;
    }
    check_bounds(node, *found, spec, path);
    return *found;
  }

  void check_bounds(const ConfigNode& node, double found, const OptionSpec& spec, const std::string& path) {
    if (found >= spec.minimum && found <= spec.maximum) return;
    problems_.add(node.place, "'" + path + "' must be " + bounds_text(spec) + ", but is " + node.text);
  }

  Json text(const ConfigNode& node, const OptionSpec& spec, const std::string& path) {
    const auto found = as_text(node);
    if (!found) {
      wrong_type(node, path, "a single text");
      return nullptr;
    }
    // Where leaving it out means something, an empty text would be a second way to say it, or a slip.
    if (found->empty() && spec.choices.empty() && spec.fallback.is_null()) {
      problems_.add(node.place, "'" + path + "' must not be empty");
    }
    const bool allowed =
        spec.choices.empty() || std::find(spec.choices.begin(), spec.choices.end(), *found) != spec.choices.end();
    if (!allowed)
      problems_.add(node.place, "'" + path + "' is '" + *found + "'" + hint_for_choice(*found, spec.choices));
    return *found;
  }

  Json text_list(const ConfigNode& node, const OptionSpec& spec, const std::string& path) {
    if (node.kind == Kind::scalar) return Json::array({text(node, spec, path)});
    if (node.kind != Kind::list) {
      wrong_type(node, path, "a list of texts");
      return nullptr;
    }
    if (node.items.empty()) problems_.add(node.place, "'" + path + "' is empty: leave it out for its default");
    Json result = Json::array();
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      if (node.items[i].kind == Kind::refused) continue;
      result.push_back(text(node.items[i], spec, joined(path, std::to_string(i))));
    }
    return result;
  }

  Json section_list(const ConfigNode& node, const OptionSpec& spec, const std::string& path) {
    if (node.kind != Kind::list) {
      wrong_type(node, path, "a list of sections");
      return nullptr;
    }
    if (spec.required && node.items.empty()) problems_.add(node.place, "'" + path + "' must not be empty");
    Json result = Json::array();
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const std::string item_path = joined(path, std::to_string(i));
      result.push_back(spec.variants.empty() ? entry(node.items[i], spec.members, item_path)
                                             : variant(node.items[i], spec.variants, item_path));
    }
    return result;
  }

  Json section_map(const ConfigNode& node, const OptionSpec& spec, const std::string& path) {
    if (node.kind != Kind::section) {
      wrong_type(node, path, "a section of named sections");
      return nullptr;
    }
    Json result = Json::object();
    for (const ConfigMember& named : node.members) {
      const std::string item_path = joined(path, named.name);
      const bool plain = named.name.find_first_of(". \t\n") == std::string::npos;
      if (!plain) problems_.add(named.place, "'" + item_path + "': a name may hold neither dots nor spaces");
      result[named.name] = entry(named.value, spec.members, item_path);
    }
    return result;
  }

  // An entry that is there but says nothing is a slip, unlike a section that was left out.
  Json entry(const ConfigNode& node, const std::vector<OptionSpec>& specs, const std::string& path) {
    if (node.kind != Kind::empty) return section(node, specs, path);
    wrong_type(node, path, "a section of key: value lines");
    return nullptr;
  }

  Json variant(const ConfigNode& node, const std::vector<OptionVariant>& variants, const std::string& path) {
    OptionSpec kind_spec;
    kind_spec.name = "kind";
    kind_spec.help = "which kind of entry this is";
    kind_spec.required = true;
    for (const OptionVariant& known : variants) kind_spec.choices.push_back(known.kind);

    if (node.kind != Kind::section) return entry(node, {kind_spec}, path);
    const Json kind = member(node, kind_spec, path);
    const auto chosen =
        std::find_if(variants.begin(), variants.end(), [&](const auto& known) { return kind == known.kind; });
    if (chosen == variants.end()) return nullptr;
    std::vector<OptionSpec> specs{kind_spec};
    specs.insert(specs.end(), chosen->options.begin(), chosen->options.end());
    return section(node, specs, path);
  }

  const std::vector<OptionSpec>& root_specs_;
  Problems& problems_;
};

}  // namespace

Json validate(const ConfigNode& root, const std::vector<OptionSpec>& specs, Problems& problems) {
  return Validator(specs, problems).section(root, specs, "");
}

}  // namespace rim
