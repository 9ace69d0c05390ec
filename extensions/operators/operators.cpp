#include "extensions/operators/operators.hpp"
