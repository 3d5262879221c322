#include "data/organism/problem_templates.h"

#include <algorithm>
#include <string>

namespace rim {
namespace {

struct Person {
  std::string name;
  std::string subject;  // "She"
};

Person draw_person(Random& random) {
  static const std::vector<Person> kPeople = {{"Mia", "She"},   {"Omar", "He"}, {"Lena", "She"},  {"Tom", "He"},
                                              {"Aisha", "She"}, {"Ken", "He"},  {"Rosa", "She"},  {"Ivan", "He"},
                                              {"Nadia", "She"}, {"Sam", "He"},  {"Priya", "She"}, {"Luis", "He"}};
  return random.pick(kPeople);
}

std::string draw_thing(Random& random) {
  static const std::vector<std::string> kThings = {"pens",   "stickers", "apples", "marbles", "books", "shells",
                                                   "stamps", "cookies",  "beads",  "oranges", "cards", "buttons"};
  return random.pick(kThings);
}

std::int64_t draw(Random& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}

std::string text(std::int64_t number) { return std::to_string(number); }

// "3 * 12 = 36"
std::string product(std::int64_t a, std::int64_t b) { return text(a) + " * " + text(b) + " = " + text(a * b); }
std::string sum(std::int64_t a, std::int64_t b) { return text(a) + " + " + text(b) + " = " + text(a + b); }
std::string difference(std::int64_t a, std::int64_t b) { return text(a) + " - " + text(b) + " = " + text(a - b); }
std::string quotient(std::int64_t a, std::int64_t b) { return text(a) + " / " + text(b) + " = " + text(a / b); }

WordProblem boxes_given_away(Random& random) {
  const auto [name, subject] = draw_person(random);
  const std::string thing = draw_thing(random);
  const std::int64_t boxes = draw(random, 3, 12), each = draw(random, 4, 24), given = draw(random, 2, boxes * each - 1);
  return {name + " has " + text(boxes) + " boxes with " + text(each) + " " + thing + " in each. " + subject +
              " gives " + text(given) + " of the " + thing + " away. How many " + thing + " are left?",
          "The boxes hold " + product(boxes, each) + " " + thing + ".\nAfter giving some away, " +
              difference(boxes * each, given) + " " + thing + " are left.",
          boxes * each - given};
}

WordProblem savings(Random& random) {
  const auto [name, subject] = draw_person(random);
  const std::int64_t start = draw(random, 5, 60), weekly = draw(random, 3, 25), weeks = draw(random, 3, 12);
  return {name + " has $" + text(start) + " and saves $" + text(weekly) + " every week. How many dollars does " + name +
              " have after " + text(weeks) + " weeks?",
          "In " + text(weeks) + " weeks " + name + " saves " + product(weeks, weekly) +
              " dollars.\nTogether with the first " + text(start) + " dollars that is " + sum(weeks * weekly, start) +
              " dollars.",
          start + weeks * weekly};
}

WordProblem shared_equally(Random& random) {
  const auto [name, subject] = draw_person(random);
  const std::string thing = draw_thing(random);
  const std::int64_t friends = draw(random, 2, 9), share = draw(random, 3, 20), kept = draw(random, 2, 15);
  const std::int64_t total = friends * share + kept;
  return {name + " has " + text(total) + " " + thing + ". " + subject + " keeps " + text(kept) +
              " and shares the rest equally among " + text(friends) + " friends. How many " + thing +
              " does each friend get?",
          "There are " + difference(total, kept) + " " + thing + " to share.\nEach friend gets " +
              quotient(total - kept, friends) + " " + thing + ".",
          share};
}

WordProblem shopping(Random& random) {
  const auto [name, subject] = draw_person(random);
  const std::int64_t shirts = draw(random, 2, 6), shirt = draw(random, 6, 25), hat = draw(random, 4, 20);
  const std::int64_t cost = shirts * shirt + hat;
  const std::int64_t paid = (cost / 50 + 1) * 50;
  return {name + " buys " + text(shirts) + " shirts for $" + text(shirt) + " each and a hat for $" + text(hat) + ". " +
              subject + " pays with $" + text(paid) + ". How many dollars does " + name + " get back?",
          "The shirts cost " + product(shirts, shirt) + " dollars.\nWith the hat it is " + sum(shirts * shirt, hat) +
              " dollars.\n" + name + " gets back " + difference(paid, cost) + " dollars.",
          paid - cost};
}

WordProblem twice_as_many(Random& random) {
  const auto [first, first_subject] = draw_person(random);
  const std::string thing = draw_thing(random);
  const std::int64_t times = draw(random, 2, 5), count = draw(random, 6, 40);
  return {first + " collects " + text(count) + " " + thing + " on Monday and " + text(times) +
              " times as many on Tuesday. How many " + thing + " does " + first + " collect on both days together?",
          "On Tuesday " + first + " collects " + product(times, count) + " " + thing + ".\nOn both days that is " +
              sum(times * count, count) + " " + thing + ".",
          (times + 1) * count};
}

WordProblem travel(Random& random) {
  const auto [name, subject] = draw_person(random);
  const std::int64_t speed = draw(random, 8, 60), hours = draw(random, 2, 7);
  const std::int64_t total = speed * hours + draw(random, 5, 90);
  return {name + " travels at " + text(speed) + " miles an hour for " + text(hours) + " hours. The whole way is " +
              text(total) + " miles. How many miles are left?",
          "In " + text(hours) + " hours " + name + " covers " + product(hours, speed) + " miles.\nThere are " +
              difference(total, hours * speed) + " miles left.",
          total - hours * speed};
}

WordProblem reading(Random& random) {
  const auto [name, subject] = draw_person(random);
  const std::int64_t daily = draw(random, 6, 30), read_days = draw(random, 2, 6), left_days = draw(random, 2, 9);
  const std::int64_t pages = daily * (read_days + left_days);
  return {name + " reads " + text(daily) + " pages a day of a book with " + text(pages) + " pages. After " +
              text(read_days) + " days, how many more days does " + name + " need?",
          "After " + text(read_days) + " days " + name + " has read " + product(read_days, daily) + " pages.\n" +
              difference(pages, read_days * daily) + " pages are left.\nThat takes " +
              quotient(pages - read_days * daily, daily) + " days.",
          left_days};
}

WordProblem garden(Random& random) {
  const auto [name, subject] = draw_person(random);
  const std::int64_t rows = draw(random, 3, 12), plants = draw(random, 4, 18), yield = draw(random, 2, 9);
  return {name + " plants " + text(rows) + " rows of " + text(plants) + " tomato plants. Each plant gives " +
              text(yield) + " tomatoes. How many tomatoes does " + name + " pick?",
          "There are " + product(rows, plants) + " plants.\nThey give " + product(rows * plants, yield) + " tomatoes.",
          rows * plants * yield};
}

WordProblem wages(Random& random) {
  const auto [name, subject] = draw_person(random);
  const std::int64_t wage = draw(random, 9, 24), hours = draw(random, 3, 9), days = draw(random, 2, 5);
  const std::int64_t spent = draw(random, 10, std::min<std::int64_t>(60, days * hours * wage - 1));
  return {name + " earns $" + text(wage) + " an hour and works " + text(hours) + " hours a day for " + text(days) +
              " days. Then " + name + " spends $" + text(spent) + ". How many dollars are left?",
          name + " works " + product(days, hours) + " hours.\nThat earns " + product(days * hours, wage) +
              " dollars.\nAfter spending, " + difference(days * hours * wage, spent) + " dollars are left.",
          days * hours * wage - spent};
}

WordProblem ages(Random& random) {
  const auto [name, subject] = draw_person(random);
  const std::int64_t age = draw(random, 4, 15), times = draw(random, 2, 4), years = draw(random, 3, 20);
  return {name + " is " + text(age) + " years old. " + name + "'s aunt is " + text(times) +
              " times as old. How old will the aunt be in " + text(years) + " years?",
          "The aunt is " + product(times, age) + " years old now.\nIn " + text(years) + " years she will be " +
              sum(times * age, years) + ".",
          times * age + years};
}

WordProblem half_sold(Random& random) {
  const auto [name, subject] = draw_person(random);
  const std::string thing = draw_thing(random);
  const std::int64_t half = draw(random, 8, 60), more = draw(random, 1, half - 2);
  return {"A shop has " + text(2 * half) + " " + thing + ". In the morning it sells half of them, and then " + name +
              " buys " + text(more) + " more. How many " + thing + " are left in the shop?",
          "In the morning " + quotient(2 * half, 2) + " " + thing + " are sold, and as many stay.\nAfter " + name +
              " buys some, " + difference(half, more) + " " + thing + " are left.",
          half - more};
}

WordProblem bakery(Random& random) {
  const std::int64_t trays = draw(random, 3, 10), rolls = draw(random, 6, 24), price = draw(random, 2, 5);
  const std::int64_t burnt = draw(random, 1, rolls);
  return {"A bakery makes " + text(trays) + " trays of " + text(rolls) + " rolls. " + text(burnt) +
              " rolls are burnt. The others are sold for $" + text(price) +
              " each. How many dollars does the bakery take in?",
          "The bakery makes " + product(trays, rolls) + " rolls.\nIt can sell " + difference(trays * rolls, burnt) +
              " of them.\nThat brings " + product(trays * rolls - burnt, price) + " dollars.",
          (trays * rolls - burnt) * price};
}

}  // namespace

const std::vector<ProblemTemplate>& problem_templates() {
  static const std::vector<ProblemTemplate> kTemplates = {
      boxes_given_away, savings, shared_equally, shopping, twice_as_many, travel,
      reading,          garden,  wages,          ages,     half_sold,     bakery};
  return kTemplates;
}

}  // namespace rim
