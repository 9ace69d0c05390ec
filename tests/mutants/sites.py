"""Finds the places of a C++ source where a small change would be a bug: the sites of mutants.

A site replaces a stretch of text by one that holds both the true code and the changed one and asks
`symphony_mutant(N)` at run time which it shall be. So that all mutants of a run are compiled once.
Functions only: constants, templates' arguments and constexpr functions stay as they are.
"""

import dataclasses
import re

import clang.cindex
from clang.cindex import CursorKind

FUNCTIONS = {CursorKind.FUNCTION_DECL, CursorKind.CXX_METHOD, CursorKind.CONSTRUCTOR,
             CursorKind.DESTRUCTOR, CursorKind.FUNCTION_TEMPLATE, CursorKind.CONVERSION_FUNCTION}
LEAVING = {CursorKind.RETURN_STMT, CursorKind.CONTINUE_STMT, CursorKind.BREAK_STMT,
           CursorKind.CXX_THROW_EXPR}
STATEMENTS = {CursorKind.CALL_EXPR, CursorKind.BINARY_OPERATOR, CursorKind.UNARY_OPERATOR,
              CursorKind.COMPOUND_ASSIGNMENT_OPERATOR}
FLIPPED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "&&": "||", "||": "&&"}
LIMIT = re.compile(r"_max\b|\bmax_|[lL]imit|k[A-Z]\w*Max\b|budget|full\(\)|depth", re.ASCII)
UNTOUCHED = re.compile(r"SYMPHONY_ASSERT|static_assert|\bassert\(")


@dataclasses.dataclass(frozen=True)
class Site:
    """One mutant: the text at [start, end) becomes `text`, in which {n} is the mutant's number."""
    path: str
    line: int
    kind: str
    start: int
    end: int
    before: str
    after: str
    text: str

    @property
    def key(self):
        """Names the mutant in the list of equivalents: no line, which moves."""
        return f"{self.path}: {self.kind}: {one_line(self.before)}"


def one_line(text):
    return " ".join(text.split())


class Finder:
    def __init__(self, path, source):
        self.path = path
        self.source = source  # bytes: clang counts so
        self.sites = []

    def text(self, start, end):
        return self.source[start:end].decode()

    def extent(self, cursor):
        """[start, end) of a cursor in this very file, or None where a macro made it."""
        start, end = cursor.extent.start, cursor.extent.end
        if not start.file or start.file.name != end.file.name or start.offset >= end.offset:
            return None
        return start.offset, end.offset

    def add(self, kind, line, start, end, after, text):
        before = self.text(start, end)
        if UNTOUCHED.search(before) or "#" in before:
            return
        self.sites.append(Site(self.path, line, kind, start, end, before, after, text))

    def walk(self, cursor):
        for child in cursor.get_children():
            self.visit(child)
            self.walk(child)

    def visit(self, cursor):
        kind = cursor.kind
        if kind == CursorKind.IF_STMT:
            self.visit_if(cursor)
        elif kind == CursorKind.COMPOUND_STMT:
            self.visit_block(cursor)
        elif kind == CursorKind.BINARY_OPERATOR or (
                kind == CursorKind.CALL_EXPR and cursor.spelling.startswith("operator")):
            self.visit_operator(cursor)
        elif kind == CursorKind.INTEGER_LITERAL:
            self.visit_literal(cursor)

    def visit_if(self, cursor):
        place = self.extent(cursor)
        children = list(cursor.get_children())
        if not place or len(children) < 2 or not children[0].kind.is_expression():
            return
        condition = self.extent(children[0])
        if not condition or not self.text(place[0], condition[0]).replace(" ", "") == "if(":
            return  # constexpr, an initialiser, a macro
        text = self.text(*condition)
        line = children[0].location.line
        self.add("negate", line, *condition, f"!({text})",
                 f"symphony_mutant({{n}}) != static_cast<bool>({text})")
        then = children[1]
        if then.kind == CursorKind.COMPOUND_STMT:
            inside = list(then.get_children())
            then = inside[-1] if 0 < len(inside) <= 2 else then
        if len(children) == 2 and then.kind in LEAVING:
            kind = "drop a limit" if LIMIT.search(text) else "drop a check"
            self.add(kind, line, *condition, "false", f"!symphony_mutant({{n}}) && ({text})")

    def visit_block(self, cursor):
        last = None
        for child in cursor.get_children():
            place = self.extent(child) if child.kind in STATEMENTS else None
            if place and not self.source[place[1]:].lstrip().startswith(b";"):
                place = None
            if place:
                text = self.text(*place)
                self.add("delete a statement", child.location.line, *place, "",
                         f"if (!symphony_mutant({{n}})) {text}")
                if last:
                    first = self.text(*last)
                    self.add("swap two steps", child.location.line, last[0], place[1],
                             f"{text}; {first}",
                             f"if (symphony_mutant({{n}})) {{ {text}; {first}; }} "
                             f"else {{ {first}; {text}; }}")
            last = place

    def visit_operator(self, cursor):
        children = list(cursor.get_children())
        place = self.extent(cursor)
        if not place or len(children) < 2:
            return
        left, right = self.extent(children[0]), self.extent(children[-1])
        if not left or not right or left[1] > right[0]:
            return
        operator = self.text(left[1], right[0]).strip()
        other = FLIPPED.get(operator)
        if not other or place != (left[0], right[1]):
            return
        a, b = self.text(*left), self.text(*right)
        kind = "swap and/or" if operator in ("&&", "||") else "off by one"
        self.add(kind, cursor.location.line, *place, f"{a} {other} {b}",
                 f"(symphony_mutant({{n}}) ? ({a} {other} {b}) : ({a} {operator} {b}))")

    def visit_literal(self, cursor):
        place = self.extent(cursor)
        text = place and self.text(*place)
        if text and re.fullmatch(r"[0-9]+", text):
            more = str(int(text) + 1)
            self.add("off by one", cursor.location.line, *place, more,
                     f"(symphony_mutant({{n}}) ? {more} : {text})")


def is_constexpr(cursor):
    names = []
    for token in cursor.get_tokens():
        if token.spelling in ("{", "("):
            break
        names.append(token.spelling)
    return "constexpr" in names or "consteval" in names


def functions_of(cursor, path):
    for child in cursor.get_children():
        if not child.location.file or child.location.file.name != path:
            continue
        if child.kind in FUNCTIONS:
            if child.is_definition() and not is_constexpr(child):
                yield child
        else:
            yield from functions_of(child, path)


def find_sites(path, absolute, arguments):
    """All sites of one source, which clang reads with these arguments."""
    index = clang.cindex.Index.create()
    unit = index.parse(absolute, args=arguments)
    errors = [str(d) for d in unit.diagnostics if d.severity >= clang.cindex.Diagnostic.Error]
    if errors:
        raise RuntimeError(f"{path} cannot be read: {errors[0]}")
    with open(absolute, "rb") as file:
        finder = Finder(path, file.read())
    for function in functions_of(unit.cursor, absolute):
        for child in function.get_children():
            if child.kind == CursorKind.COMPOUND_STMT:
                finder.visit(child)
                finder.walk(child)
    return list(dict.fromkeys(finder.sites))


def mutated(source, numbered):
    """The source with these (number, site) pairs in it, which must not overlap.

    The marker has the compiler take it for a system's source, which it does not warn of.
    """
    end = len(source)
    for number, site in sorted(numbered, key=lambda pair: -pair[1].start):
        assert site.end <= end, "two mutants in one place"
        text = site.text.replace("{n}", str(number)).encode()
        source = source[:site.start] + text + source[site.end:]
        end = site.start
    path = numbered[0][1].path
    return f'#include "tests/mutants/mutant_switch.hpp"\n# 1 "{path}" 3\n'.encode() + source
