"""Finds two definitions of one type.

Two classes of one qualified name in one program are undefined behaviour that no compiler and no
linker tells of: their members are emitted under the same symbols, and whichever comes first wins.
So no class, struct, union or enum of ours has the qualified name of another in any other file.
Types in unnamed namespaces and inside functions belong to their own file.
"""

import os
import re
import sys
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
TOPS = ["messages", "runtime", "actors", "extensions", "tests", "bench"]

# Comments, literals and preprocessor lines, in the order in which they are told apart.
NOISE = re.compile(
    r'//(?:\\\n|[^\n])*|/\*.*?\*/|R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"'
    r"|\"(?:\\.|[^\"\\\n])*\"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'"
    r"|^[ \t]*\#(?:\\\n|[^\n])*", re.S | re.M)
TOKEN = re.compile(r"[A-Za-z_]\w*|::|\[\[|\]\]|[^\s\w]|\d[\w'.]*")
OPENING, CLOSING = {"<": ">", "(": ")", "[[": "]]"}, {">", ")", "]]"}
KEYS = {"class", "struct", "union", "enum"}


def after_group(tokens, at):
    """The index behind the bracket that opens at `at`."""
    depth = 0
    while at < len(tokens):
        depth += (tokens[at] in OPENING) - (tokens[at] in CLOSING)
        at += 1
        if depth == 0:
            break
    return at


def scope_of(head):
    """What a brace opens, by the tokens before it: ("namespace" | "type" | "other", name)."""
    at = 0
    while at < len(head):
        if head[at] in ("public", "private", "protected") and head[at + 1:at + 2] == [":"]:
            at += 2
        elif head[at] == "template" and head[at + 1:at + 2] == ["<"]:
            at = after_group(head, at + 1)
        elif head[at] == "requires" and head[at + 1:at + 2] == ["("]:
            at = after_group(head, at + 1)
        elif head[at] in ("inline", "typedef", "static", "const", "constexpr"):
            at += 1
        else:
            break
    head = head[at:]
    if head[:1] == ["namespace"]:
        return "namespace", "".join(head[1:]) or None
    if not head or head[0] not in KEYS:
        return "other", None
    name, at = "", 1
    while at < len(head) and head[at] not in (":", "final"):
        if head[at] in ("class", "struct") and not name:
            at += 1
        elif head[at] == "[[":
            at = after_group(head, at)
        elif head[at] == "alignas":
            at = after_group(head, at + 1)
        elif head[at] == "<":
            end = after_group(head, at)
            name += "".join(head[at:end])
            at = end
        elif head[at] == "::" or re.match(r"[A-Za-z_]", head[at]):
            if name and name[-1] not in ":" and head[at] != "::":
                return "other", None  # `struct X name`: a variable or a function's result
            name += head[at]
            at += 1
        else:
            return "other", None
    return ("type", name) if name else ("other", None)


def definitions(text):
    """The qualified names of the types that a source defines for other files to see."""
    text = NOISE.sub(lambda noise: " " if noise.group().startswith(("/", "'", "#")) or
                     noise.group().lstrip().startswith("#") else ' 0 ', text)
    names, scopes, head = [], [], []
    for token in TOKEN.findall(text):
        if token == "{":
            kind, name = scope_of(head)
            if kind == "type" and all(known not in ("other", None) for known, _ in scopes) and \
                    all(part is not None for _, part in scopes):
                names.append("::".join([part for _, part in scopes] + [name]))
            scopes.append((kind, name))
            head = []
        elif token == "}":
            if scopes:
                scopes.pop()
            head = []
        elif token == ";":
            head = []
        else:
            head.append(token)
    return names


def duplicates(files):
    """Of {path: text}, what is defined in more than one file: one line each."""
    places = {}
    for path, text in sorted(files.items()):
        for name in definitions(text):
            places.setdefault(name, []).append(path)
    return [f"{name} is defined in {' and in '.join(paths)}: rename or nest one"
            for name, paths in sorted(places.items()) if len(paths) > 1]


def sources(root):
    files = {}
    for top in TOPS:
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                if name.endswith((".cpp", ".hpp")):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as file:
                        files[os.path.relpath(path, root)] = file.read()
    return files


class Definitions(unittest.TestCase):
    """The check finds what it is for."""

    def assert_names(self, text, *names):
        self.assertEqual(definitions(text), list(names))

    def test_of_one_name_in_two_files_are_found(self):
        found = duplicates({"a.hpp": "namespace n { struct X { int a; }; }",
                            "b.hpp": "namespace n {\nclass X final : public Y {};\n}"})
        self.assertEqual(found, ["n::X is defined in a.hpp and in b.hpp: rename or nest one"])

    def test_of_one_name_in_one_file_are_found(self):
        text = "#if A\nstruct X {};\n#else\nstruct X {};\n#endif"
        self.assertEqual(len(duplicates({"a.hpp": text})), 1)

    def test_of_other_namespaces_and_classes_differ(self):
        self.assertEqual(duplicates({
            "a.hpp": "namespace n { struct X {}; class A { struct X {}; }; }",
            "b.hpp": "namespace m { struct X {}; } namespace n::o { struct X {}; }",
            "c.hpp": "namespace n { class B { public: struct X {}; }; }"}), [])

    def test_that_only_their_file_sees_are_left_out(self):
        self.assert_names("namespace n { namespace { struct X {}; } struct Y {}; }", "n::Y")
        self.assert_names("void f() { struct X {}; if (a) { enum E { one }; } }")
        self.assert_names("auto f = [] { struct X { int a; }; return X{1}; };")

    def test_are_told_from_declarations_and_uses(self):
        self.assert_names("struct X; struct X f() { return {}; } class X x{1}; friend struct Y;")
        self.assert_names("template <class T> void f() {} template <class T> class A;")
        self.assert_names("X::X() : a_{1}, b_{2} { struct Z {}; }")

    def test_of_every_kind_are_seen(self):
        self.assert_names("enum class E : int { a }; enum F { b }; union U { int c; };",
                          "E", "F", "U")
        self.assert_names("template <class T, class U = A<B>> struct X { struct Y {}; };",
                          "X", "X::Y")
        self.assert_names("template <> class R<p::D> : public R<p::C> { public: R() {} };",
                          "R<p::D>")
        self.assert_names("struct A::B final : C {}; class [[nodiscard]] D {};", "A::B", "D")
        self.assert_names("struct alignas(64) A {};", "A")

    def test_in_comments_and_literals_are_none(self):
        self.assert_names('// struct X {};\n/* struct Y {}; */ auto s = "struct Z {";')
        self.assert_names('auto s = R"(struct X { )"; char c = \'{\'; int n = 1\'000; struct A {};',
                          "A")
        self.assert_names('#define M struct X { \\\n}\nstruct A {};', "A")

    def test_of_the_whole_tree_are_one_each(self):
        files = sources(ROOT)
        self.assertGreater(len(files), 100, "the sources were not found")
        self.assertGreater(sum(len(definitions(text)) for text in files.values()), 300)
        found = duplicates(files)
        self.assertEqual(found, [], "\n" + "\n".join(found))


if __name__ == "__main__":
    sys.exit(unittest.main())
