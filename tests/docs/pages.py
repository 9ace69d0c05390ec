"""Reading Markdown, and making the page of commands: what the tests of the documents share."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]

COMMANDS_HEAD = """# Command line

What `symphony help COMMAND` says, of every command. This page is made of it (`make docs`), and a
test compares the two. `--node`, `--config`, `--set` and `--json` may stand behind any command. Exit
codes are in [exit-codes.md](exit-codes.md).
"""


def fences(page):
    """(what stands in a comment right above, language, lines) of each fenced block."""
    found = re.findall(r"(?:^<!-- ([^\n]*?) -->\n)?^```(\w*)\n(.*?)^```$", page, re.M | re.S)
    return [(note, language, text.splitlines()) for note, language, text in found]


def help_of(binary, *path):
    return subprocess.run([binary, "help", *path], capture_output=True, text=True, check=True,
                          timeout=60, env={"LC_ALL": "C.UTF-8"}).stdout


def subcommands(text):
    listed = re.search(r"^Subcommands:\n((?:  .*\n)+)", text, re.M)
    return re.findall(r"^  (\S+)", listed[1], re.M) if listed else []


def without_common_footer(text, common):
    return text.replace(common, "").rstrip() + "\n"


def commands_page(binary):
    top = help_of(binary)
    footer = top[top.index("`symphony help COMMAND`"):]
    page = [COMMANDS_HEAD, "## symphony\n", f"```text\n{without_common_footer(top, footer)}```\n"]

    def add(path):
        text = help_of(binary, *path)
        title = " ".join(["symphony", *path])
        page.append(f"##{'#' * (len(path) - 1)} {title}\n")
        page.append(f"```text\n{without_common_footer(text, footer)}```\n")
        for command in subcommands(text):
            add([*path, command])

    for command in subcommands(top):
        add([command])
    return "\n".join(page)
