#include "engine/report/plan_markdown.h"

#include <gmock/gmock.h>

#include <sstream>

#include "tests/report/plan_fixtures.h"

namespace audiencesync {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string markdown_of(const Plan& plan) {
  auto text = plan_markdown(plan, testing::kPlanNow);
  const auto digest = plan.digest().substr(0, 16);
  for (auto at = text.find(digest); at != std::string::npos; at = text.find(digest)) {
    text.replace(at, digest.size(), "DIGEST");
  }
  return text;
}

TEST(PlanMarkdown, NothingToDoIsOneLine) {
  EXPECT_EQ(markdown_of(testing::luma_plan()), "luma-loyalty: nothing to do as of export 2026-01-02T04:00:00Z (8 h)\n");
}

TEST(PlanMarkdown, HasThePartsOfTheText) {
  EXPECT_EQ(markdown_of(testing::guarded_plan()), R"(### audiencesync plan: luma-loyalty

**2 changes, 8 people written (5 new, 1 leave all audiences), 1 step for a person**

| | |
|---|---|
| manifest | `manifests/luma.yaml` |
| commit | `3f2a9c14d5e6` |
| organisation, sandbox | `1234@AdobeOrg`, `prod` |
| digest | `DIGEST` |
| inputs | export 2026-01-02T04:00:00Z (8 h old) |
| guards | 1 tripped |

#### Attention

- **guard** audience 'Luma - Blue+ Members' would be emptied: 1234567 people before, none after; the limit is guard.allow\_empty\_audience
- **warning** a warning
- **warning** luma.yaml:9:5: audience 'Größe' (A2): it does not exist; its memberships stay as they are; remove the entry to withdraw them
- **note** a note
- **held** this plan is held since 2026-01-02T05:00:00Z (7 h) with its export; without an approval it lapses 2026-01-03T05:00:00Z
- **person** `connection/dataset`: the dataset is in no connection, so analysts do not see it
  1. In Customer Journey Analytics open Data management, then Connections, and choose 'Luma' (dg\_1)
  2. Add dataset 65f1a2b3c4d5e6f708192a3b and choose person id 'personID'
  3. Switch on 'Import all new data' and save

#### Resources

| stage | state |
|---|---|
| audiences | in sync |
| export | 1 change |
| schema | in sync |
| dataset | 1 change |
| membership | 1 change |
| connection | 1 person action |
| data-view | skipped: no data\_view is declared |
| report | pending until 2026-01-02T15:00:00Z |

<details><summary>4 changes</summary>

| does | object | why |
|---|---|---|
| run | `export/job` | none that can be used yet (our own staging, needs no approval) |
| create | `dataset/target` | does not exist |
| ingest | `membership/people` | 8 people changed |
| person | `connection/dataset` | the dataset is in no connection, so analysts do not see it |

</details>

#### Memberships

| audience | before | after | entered | left | Δ% | last runs | verdict |
|---|--:|--:|--:|--:|--:|---|---|
| Luma - Blue+ Members | 1,234,567 | 0 | +0 | −1,234,567 | −100.0 | ▃▄▆▅ | **guard** |
| Größe | 7 | 7 | +0 | −0 | 0.0 | ▅▅▅▅ | **held** |
| Neu | 0 | 12 | +12 | −0 | new |  | ok |

<details><summary>samples, masked</summary>

| kind | person | enters | leaves |
|---|---|---|---|
| new | `a***@x***.io` | Luma - Blue+ Members |  |
| changed | `b***@y***.de` | Neu | Größe |
| leaves | `c***@z***.com` |  | Luma - Blue+ Members, Größe |

</details>

Cost: 24,567 rows, 9.9 MB, less than 0.1 % of what may be ingested in an hour; at least 6 write calls; in Customer Journey Analytics about 90 min to 3 h after the apply.

Refused by a guard; if this is what should happen:

```sh
audiencesync approve DIGEST --reason "..."
```
)");
}

TEST(PlanMarkdown, ANameIsNeverMarkup) {
  auto plan = testing::rich_plan();
  plan.audiences[0].name = "a|b `c` <img src=x> @team #12 **d** [e](https://f) www.g.h\nnew row";
  plan.changes[0].key.name = "x`y|z";
  const auto text = markdown_of(plan);
  EXPECT_THAT(text,
              HasSubstr("| a\\|b \\`c\\` &lt;img src=x&gt; &#64;team &#35;12 \\*\\*d\\*\\* \\[e\\](https&#58;//f) "
                        "www&#46;g.h new row | 1,234,567 |"));
  EXPECT_THAT(text, HasSubstr("| `dataset/x'y\\|z` |"));
  EXPECT_THAT(text, Not(HasSubstr("<img")));
}

TEST(PlanMarkdown, TheNameOfTheFileCannotLeaveItsFence) {
  auto plan = testing::rich_plan();
  plan.file = "a\n```\n# b.yaml";
  plan.commit = {};  // of a manifest in git the next command names no file
  const auto text = markdown_of(plan);
  EXPECT_THAT(text, Not(HasSubstr("\n```\n#")));
  EXPECT_THAT(text, HasSubstr("\n``````````sh\naudiencesync apply 'a"));
}

TEST(PlanMarkdown, StaysBelowItsSizeAndSaysWhatIsLeftOut) {
  auto plan = testing::guarded_plan();
  const std::string wide(3000, '<');
  for (int i = 0; i < 5000; ++i) {
    const auto number = std::to_string(i);
    plan.audiences.push_back({"B" + number, "audience " + number + wide, 1, 2, 1, 0});
    plan.findings.push_back({Severity::Warning, "w", "warning " + number + wide});
    plan.changes.push_back(testing::person_change());
    plan.changes.back().key.name = "dataset" + number;
    plan.changes.back().steps.assign(40, wide);
    plan.samples.push_back({"new", "a***", {wide, wide}, {}});
    plan.stages.push_back({"stage" + number, wide});
  }
  const auto text = markdown_of(plan);
  EXPECT_LT(text.size(), kLargestMarkdown);
  EXPECT_GT(text.size(), 2000U) << "something is still said";
  EXPECT_THAT(text, AllOf(HasSubstr("- … and "), HasSubstr(" more findings\n"), HasSubstr(" more steps for a person\n"),
                          HasSubstr(" more | | | | | | | |\n"), HasSubstr("audiencesync approve DIGEST")));
  EXPECT_EQ(text, markdown_of(plan)) << "stable";
}

TEST(PlanMarkdown, ManyAudiencesOfOrdinaryNamesAreCutAsLateAsPossible) {
  auto plan = testing::rich_plan();
  for (int i = 0; i < 400; ++i)
    plan.audiences.push_back({"B" + std::to_string(i), "Audience " + std::to_string(i), 1, 2, 1, 0});
  EXPECT_THAT(markdown_of(plan), AllOf(HasSubstr("| Audience 399 |"), Not(HasSubstr("…"))));
}

}  // namespace
}  // namespace audiencesync
