#include "data_world.h"

namespace emulator {
namespace {

std::map<std::string, std::set<std::string>> everyone(DataWorld& world) {
  std::map<std::string, std::set<std::string>> all;
  for (const std::string& audience : world.audiences()) all[audience] = world.truth(audience);
  return all;
}

TEST(DataWorldTest, EqualSeedsMakeEqualPeople) {
  DataWorld one;
  DataWorld other;
  DataWorld different({.profiles = 500, .audiences = 6, .seed = 8});
  EXPECT_EQ(everyone(one), everyone(other));
  EXPECT_NE(everyone(one), everyone(different));
  for (const auto& [audience, people] : everyone(one)) EXPECT_FALSE(people.empty()) << audience;
}

TEST(DataWorldTest, EvolvesByTheShareAskedForAndRepeatably) {
  DataWorld one;
  DataWorld other;
  const Json counts = one.control("POST", "/_emulator/evolve", {{"churn", 0.1}, {"seed", 3}});
  EXPECT_EQ(counts, other.control("POST", "/_emulator/evolve", {{"churn", 0.1}, {"seed", 3}}));
  EXPECT_EQ(counts, Json({{"changed", 40}, {"appeared", 5}, {"disappeared", 5}}));
  EXPECT_EQ(everyone(one), everyone(other));

  const auto before = everyone(one);
  one.control("POST", "/_emulator/evolve", {{"churn", 0.1}, {"seed", 3}});
  EXPECT_NE(before, everyone(one));
}

TEST(DataWorldTest, EveryChangedPersonIsInAnotherSetOfAudiences) {
  DataWorld world;
  const auto sets = [&] {
    std::map<std::string, std::set<std::string>> by_person;
    for (const auto& [audience, people] : everyone(world))
      for (const std::string& person : people) by_person[person].insert(audience);
    return by_person;
  };
  const auto before = sets();
  const Json counts = world.control("POST", "/_emulator/evolve", {{"churn", 0.05}, {"seed", 3}});
  const auto after = sets();
  std::set<std::string> differing;
  for (const auto& [person, audiences] : before)
    if (!after.contains(person) || after.at(person) != audiences) differing.insert(person);
  for (const auto& [person, audiences] : after)
    if (!before.contains(person) || before.at(person) != audiences) differing.insert(person);
  // People in no audience may appear and disappear unseen; all the others differ, and nobody else does.
  EXPECT_GE(differing.size(), counts["changed"].get<std::size_t>());
  EXPECT_LE(differing.size(), counts["changed"].get<std::size_t>() + counts["appeared"].get<std::size_t>() +
                                  counts["disappeared"].get<std::size_t>());
}

TEST(DataWorldTest, IsTheSameAfterARestart) {
  DataWorld world;
  world.control("POST", "/_emulator/evolve", {{"churn", 0.1}, {"seed", 3}});
  const auto before = everyone(world);
  const Json listed = world.plane->audiences();
  world.restart();
  EXPECT_EQ(before, everyone(world));
  EXPECT_EQ(listed, world.plane->audiences());
}

TEST(DataWorldTest, TakesSpecialPeople) {
  DataWorld world;
  const std::string audience = world.audiences().front();
  const auto before = world.truth(audience).size();
  world.control(
      "POST", "/_emulator/profiles",
      Json::array(
          {{{"person_id", nullptr}, {"memberships", {{audience, "realized"}}}},
           {{"person_id", ""}, {"memberships", {{audience, "realized"}}}},
           {{"person_id", "j\u00fcrgen@example.com"}, {"memberships", {{audience, "existing"}}}},
           {{"person_id", "twice@example.com"}, {"memberships", {{audience, "realized"}}}},
           {{"person_id", "twice@example.com"}, {"memberships", {{audience, "exited"}}}},
           {{"person_id", "odd@example.com"}, {"memberships", {{audience, "wandering"}}}},
           {{"person_id", "upper@example.com"}, {"namespace", "UPS"}, {"memberships", {{audience, "realized"}}}},
           {{"person_id", "other@example.com"}, {"namespace", "aam"}, {"memberships", {{audience, "realized"}}}}}));
  const auto people = world.truth(audience);
  EXPECT_EQ(people.size(), before + 3);
  EXPECT_TRUE(people.contains("j\u00fcrgen@example.com"));
  EXPECT_TRUE(people.contains("twice@example.com"));
  EXPECT_TRUE(people.contains("upper@example.com"));

  EXPECT_EQ(Json::parse(world.call("DELETE", "/_emulator/profiles?person_id=twice%40example.com").body)["removed"], 2);
  EXPECT_FALSE(world.truth(audience).contains("twice@example.com"));
}

TEST(DataWorldTest, RefusesWhatItCannotDo) {
  DataWorld world;
  EXPECT_EQ(world.call("POST", "/_emulator/evolve", Json{{"churn", 2}}).status, 400);
  EXPECT_EQ(world.call("POST", "/_emulator/evolve", Json{{"churn", "much"}}).status, 400);
  EXPECT_EQ(world.call("GET", "/_emulator/truth").status, 400);
  EXPECT_EQ(world.call("GET", "/_emulator/truth?audience=x&field=no.such").status, 400);
  EXPECT_EQ(world.call("POST", "/_emulator/profiles", Json::array({1})).status, 400);
}

}  // namespace
}  // namespace emulator
