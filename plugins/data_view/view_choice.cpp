#include "plugins/data_view/view_choice.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/platform/analytics_list.h"

namespace audiencesync {
namespace {

std::string described(const platform::DataView& view) { return fmt::format("data view '{}' ({})", view.name, view.id); }

std::string ids_of(const std::vector<platform::DataView>& views) {
  std::vector<std::string> ids;
  for (const auto& view : views) ids.push_back(view.id);
  return fmt::format("{}", fmt::join(ids, ", "));
}

class ViewChooser {
 public:
  ViewChooser(const Manifest& manifest, const ViewFacts& facts)
      : manifest_(manifest), facts_(facts), declared_(manifest.analytics->data_view.value_or("")) {}

  ViewChoice choose() && {
    if (platform::is_data_view_id(declared_)) {
      choose_by_id();
    } else {
      choose_by_name();
    }
    return std::move(choice_);
  }

 private:
  bool is_ours(const platform::DataView& view) const { return view.external_id == external_id_of(manifest_); }

  void ask(std::string reason, std::string step) {
    choice_.origin = ViewOrigin::Unclear;
    choice_.guide = {std::move(reason), {std::move(step)}};
  }

  void use(const platform::DataView& view) {
    choice_.origin = is_ours(view) ? ViewOrigin::Ours : ViewOrigin::Foreign;
    choice_.view = view;
  }

  void choose_by_id() {
    const auto found = std::find_if(facts_.candidates.begin(), facts_.candidates.end(),
                                    [&](const platform::DataView& view) { return view.id == declared_; });
    if (found == facts_.candidates.end())
      return ask(fmt::format("there is no data view {} that the technical account can see", declared_),
                 fmt::format("write the id or the name of one as analytics.data_view in {}; when no view has the name, "
                             "one is made",
                             manifest_.file));
    if (found->connection != facts_.connection) return ask_for_one_of_the_connection(*found);
    use(*found);
  }

  void choose_by_name() {
    std::vector<platform::DataView> ours;
    std::vector<platform::DataView> named;
    for (const auto& view : facts_.candidates) {
      if (is_ours(view)) ours.push_back(view);
      if (!is_ours(view) && view.name == declared_) named.push_back(view);
    }
    std::stable_sort(ours.begin(), ours.end(), [](const auto& left, const auto& right) {
      return left.created.value_or(Time()) < right.created.value_or(Time());
    });
    if (!ours.empty() && (named.empty() || ours.front().name == declared_)) {
      use(ours.front());
      for (auto other = ours.begin() + 1; other != ours.end(); ++other)
        note("data-view-twice", fmt::format("{} has the mark of this sync too; {} is used, the other may be deleted",
                                            described(*other), ours.front().id));
      for (const auto& other : named)
        note("data-view-namesake",
             fmt::format("{} has the same name as the one that is used ({})", described(other), ours.front().id));
      return;
    }
    if (named.size() > 1)
      return ask(fmt::format("{} data views of the connection are named '{}' ({}), so it is not clear which is meant",
                             named.size(), declared_, ids_of(named)),
                 fmt::format("write analytics.data_view in {} with the id of the one you mean", manifest_.file));
    if (named.size() == 1) {
      use(named.front());
      if (!ours.empty())
        note("data-view-unused",
             fmt::format("{} was made by this sync and is no longer used; it may be deleted", described(ours.front())));
      return;
    }
    if (!facts_.elsewhere.empty()) return ask_for_one_of_the_connection(facts_.elsewhere.front());
    choice_.origin = ViewOrigin::ToBeMade;
  }

  void ask_for_one_of_the_connection(const platform::DataView& view) {
    ask(fmt::format("{} looks at connection {}, not at {}; a view keeps its connection for life", described(view),
                    view.connection, facts_.connection),
        fmt::format("write another analytics.data_view in {}, or the connection {} as analytics.connection",
                    manifest_.file, view.connection));
  }

  void note(const char* code, std::string text) { choice_.findings.push_back({Severity::Note, code, std::move(text)}); }

  const Manifest& manifest_;
  const ViewFacts& facts_;
  std::string declared_;
  ViewChoice choice_;
};

}  // namespace

std::string external_id_of(const Manifest& manifest) { return "audiencesync_" + manifest.uid; }

ViewChoice choose_view(const Manifest& manifest, const ViewFacts& facts) {
  return ViewChooser(manifest, facts).choose();
}

}  // namespace audiencesync
