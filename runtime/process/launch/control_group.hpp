// A control group (version 2) around everything that one data directory's programs are, where the
// hierarchy is writable. It costs a program nothing, and whoever survived the killing of node, fork
// server and launcher all at once is found in it by the next fork server.
#pragma once

#include <string>

namespace symphony::launch {

class ControlGroup {
 public:
  ControlGroup() = default;
  ControlGroup(const ControlGroup&) = delete;
  ControlGroup& operator=(const ControlGroup&) = delete;
  ~ControlGroup();

  // Makes, or takes over, the group of this name below our own. Does nothing where it cannot.
  void open(const std::string& name);
  // Ends whoever was in it when it was opened, waiting at most `patience_ms`, and makes it anew.
  // False when somebody is left.
  bool kill_all(int patience_ms);
  // Of its directory, for CLONE_INTO_CGROUP; -1: there is none.
  int descriptor() const noexcept { return directory_; }

 private:
  void renew();

  std::string path_;
  int directory_ = -1;
  bool fresh_ = false;  // made by us, and never killed
};

}  // namespace symphony::launch
