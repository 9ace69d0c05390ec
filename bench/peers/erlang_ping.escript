#!/usr/bin/env escript
%%! -name symphony_bench@127.0.0.1 -hidden
%% Echo between two Erlang nodes over the distribution: prints "p50_ns p99_ns pipelined_per_s".
%% usage: erlang_ping.escript ASKS PIPELINED WINDOW
%% The measured code is compiled and loaded on both nodes, so that neither is interpreted.
-mode(compile).

source() ->
    ["-module(symphony_echo).",
     "-export([echo/0, ping/3, pipeline/4]).",
     "echo() -> receive {From, Ref, Payload} -> From ! {Ref, Payload}, echo(); stop -> ok end.",
     "ping(_, _, 0) -> [];"
     "ping(Pid, Payload, N) ->"
     "  Start = erlang:monotonic_time(nanosecond), Ref = make_ref(),"
     "  Pid ! {self(), Ref, Payload}, receive {Ref, _} -> ok end,"
     "  [erlang:monotonic_time(nanosecond) - Start | ping(Pid, Payload, N - 1)].",
     "pipeline(_, _, 0, 0) -> ok;"
     "pipeline(Pid, Payload, 0, Open) ->"
     "  receive {pipe, _} -> pipeline(Pid, Payload, 0, Open - 1) end;"
     "pipeline(Pid, Payload, Left, Open) when Open > 0 ->"
     "  receive {pipe, _} -> Pid ! {self(), pipe, Payload},"
     "  pipeline(Pid, Payload, Left - 1, Open) end."].

forms() ->
    [begin
         {ok, Tokens, _} = erl_scan:string(Text),
         {ok, Form} = erl_parse:parse_form(Tokens),
         Form
     end || Text <- source()].

main([Asks, Pipelined, Window]) ->
    {ok, Module, Binary} = compile:forms(forms(), []),
    {module, Module} = code:load_binary(Module, "symphony_echo", Binary),
    {ok, _, Node} = peer:start_link(#{name => symphony_echo, host => "127.0.0.1",
                                      longnames => true, args => ["-hidden"]}),
    {module, Module} = rpc:call(Node, code, load_binary, [Module, "symphony_echo", Binary]),
    Pid = spawn(Node, Module, echo, []),
    Payload = binary:copy(<<"x">>, 64),
    _ = Module:ping(Pid, Payload, 500),
    Times = lists:sort(Module:ping(Pid, Payload, list_to_integer(Asks))),
    At = fun(Part) -> lists:nth(max(1, round(length(Times) * Part)), Times) end,
    Count = list_to_integer(Pipelined),
    Open = list_to_integer(Window),
    Start = erlang:monotonic_time(nanosecond),
    [Pid ! {self(), pipe, Payload} || _ <- lists:seq(1, Open)],
    ok = Module:pipeline(Pid, Payload, Count - Open, Open),
    Elapsed = erlang:monotonic_time(nanosecond) - Start,
    io:format("~b ~b ~b~n", [At(0.5), At(0.99), Count * 1000000000 div Elapsed]).
