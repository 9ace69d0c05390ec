// Who is who: people who share a name or an address are one person. Pure; not thread-safe.
//
// Names and addresses come after .mailmap, which has the first word. Letters are compared without
// regard to case, as git does with addresses; names without regard to spaces around them.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "extensions/operators/git/repository.hpp"

namespace symphony::extensions::git {

class People {
 public:
  // The number of a pair of name and address: the same for the same pair, from 0 on.
  std::size_t add(const Person& person);

  struct Groups {
    std::vector<std::size_t> group_of;  // by number
    // The name and address that count for a group: those added most often, then first.
    std::vector<Person> people;
  };
  Groups groups() const;

 private:
  struct Entry {
    Person person;
    std::size_t count = 0;
  };
  std::size_t root_of(std::size_t number) const;
  void join(const std::string& key, std::size_t number);

  std::map<std::pair<std::string, std::string>, std::size_t> number_of_;
  std::map<std::string, std::size_t> first_with_;  // a name or an address
  std::vector<Entry> entries_;
  std::vector<std::size_t> parent_;  // a forest: one tree a person
};

}  // namespace symphony::extensions::git
