"""10,000 tasks that do nothing, on Dask: microseconds a task, as JSON on one line.

Threads and the distributed scheduler (in this process), each wide and as a chain; what is not
installed is null. Prints the best of a few rounds.
"""
import json
import sys
import time


def noop(*_):
    return None


def graphs(nodes):
    wide = {("n", i): (noop,) for i in range(nodes)}
    wide["end"] = (noop, list(wide))
    chain = {("n", 0): (noop,)}
    chain.update({("n", i): (noop, ("n", i - 1)) for i in range(1, nodes)})
    chain["end"] = (noop, ("n", nodes - 1))
    return {"wide": wide, "chain": chain}


def measure(get, graph, nodes, rounds):
    best = None
    for _ in range(rounds):
        began = time.perf_counter()
        get(graph, "end")
        spent = (time.perf_counter() - began) * 1e6 / nodes
        best = spent if best is None else min(best, spent)
    return best


def main():
    nodes, rounds, threads = (int(word) for word in sys.argv[1:4])
    found = {}
    try:
        from dask.threaded import get
    except ImportError:
        print("null")
        return
    for shape, graph in graphs(nodes).items():
        found["threads " + shape] = measure(
            lambda g, k: get(g, k, num_workers=threads), graph, nodes, rounds)
    try:
        from distributed import Client
        with Client(processes=False, n_workers=1, threads_per_worker=threads,
                    dashboard_address=None) as client:
            for shape, graph in graphs(nodes).items():
                found["distributed " + shape] = measure(client.get, graph, nodes, rounds)
    except ImportError:
        pass
    print(json.dumps(found))


main()
