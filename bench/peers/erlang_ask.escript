#!/usr/bin/env escript
%%! +S 1
%% Messages between two processes of one Erlang node, on one scheduler thread: prints the median
%% nanoseconds of "an ask, one at a time", "an ask, WINDOW at a time" and "a one-way message".
%% usage: erlang_ask.escript MESSAGES ROUNDS WINDOW BATCH
-mode(compile).

target(Count) ->
    receive
        {ask, From, Ref} -> From ! {Ref, Count}, target(Count);
        {add, N} -> target(Count + N)
    end.

ask(Pid) ->
    Ref = make_ref(),
    Pid ! {ask, self(), Ref},
    receive {Ref, _} -> ok end.

one_at_a_time(_, 0) -> ok;
one_at_a_time(Pid, N) -> ask(Pid), one_at_a_time(Pid, N - 1).

several(_, 0, 0) -> ok;
several(Pid, 0, Open) -> receive {pipe, _} -> several(Pid, 0, Open - 1) end;
several(Pid, Left, Open) ->
    receive {pipe, _} -> Pid ! {ask, self(), pipe}, several(Pid, Left - 1, Open) end.

notify(_, Left, _) when Left =< 0 -> ok;
notify(Pid, Left, Batch) ->
    _ = [Pid ! {add, 1} || _ <- lists:seq(1, Batch)],
    ask(Pid),
    notify(Pid, Left - Batch, Batch).

%% In a process of its own, as the two processes of a node would be.
ns_each(Messages, Run) ->
    Self = self(),
    spawn_link(fun() ->
        Start = erlang:monotonic_time(nanosecond),
        Run(),
        Self ! {took, erlang:monotonic_time(nanosecond) - Start}
    end),
    receive {took, Ns} -> Ns / Messages end.

median(Values) -> lists:nth((length(Values) + 1) div 2, lists:sort(Values)).

main(Arguments) ->
    [Messages, Rounds, Window, Batch] = [list_to_integer(A) || A <- Arguments],
    Pid = spawn(fun() -> target(0) end),
    Figures = [median([ns_each(Messages, Run) || _ <- lists:seq(1, Rounds)]) || Run <- [
        fun() -> one_at_a_time(Pid, Messages) end,
        fun() ->
            _ = [Pid ! {ask, self(), pipe} || _ <- lists:seq(1, Window)],
            several(Pid, Messages - Window, Window)
        end,
        fun() -> notify(Pid, Messages, Batch) end]],
    io:format("~.1f ~.1f ~.1f~n", Figures).
