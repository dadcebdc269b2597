/* test_multiline.c - the settings, and the presets on what the runtimes really print.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/multiline_presets.h"
#include "tests/unit/flow/grouped.h"

static struct grouped g;

static int
set_up(void **state)
{
    (void)state;
    grouped_init(&g);
    g.plan->max_line = 1024 * 1024;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    grouped_fini(&g);
    return 0;
}

/* The records, one behind the other as a file, come out as they are. */
static void
then_each_is_one(const char *preset, const char *const *records)
{
    struct buf text = { NULL, 0, 0 }, expected = { NULL, 0, 0 };

    grouped_multiline(&g, "preset", preset);
    for (; *records != NULL; records++) {
        buf_printf(&expected, "%zu:%s|", text.len, *records);
        buf_printf(&text, "%s\n", *records);
    }
    assert_string_equal(grouped_read_all(&g, buf_string(&text), text.len),
                        buf_string(&expected));
    buf_fini(&text);
    buf_fini(&expected);
}

#define THEN_EACH_IS_ONE(preset, ...)                                  \
    do {                                                               \
        static const char *const records[] = { __VA_ARGS__, NULL };    \
                                                                       \
        then_each_is_one(preset, records);                             \
    } while (0)

/* ---- Java ------------------------------------------------------------------------ */

static void
a_java_trace_has_causes_and_suppressed_ones(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("java",
        "java.lang.IllegalStateException: outer\n"
        "\tat T.a(T.java:3)\n"
        "\tat java.base/java.lang.reflect.Method.invoke(Method.java:569)\n"
        "Caused by: java.lang.RuntimeException: inner\n"
        "\tat T.b(T.java:4)\n"
        "\t... 9 more\n"
        "\tSuppressed: java.io.IOException: close\n"
        "\t\tat T$Res.close(T.java:2)\n"
        "\t\t... 10 more",
        "java.lang.NullPointerException\n"
        "\tat T.c(T.java:9)\n"
        "\t... 3 common frames omitted",
        "Exception in thread \"main\" java.lang.RuntimeException: x\n"
        "\tat T.main(T.java:8)\n"
        "\t[CIRCULAR REFERENCE: java.lang.RuntimeException: x]",
        "done");
}

static void
a_java_trace_may_begin_with_its_root_and_have_messages_anywhere(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("java",
        "java.lang.IllegalStateException: outer\n"
        "\tat T.main(T.java:9)\n"
        "\tSuppressed: java.io.IOException: close\n"
        "line two\n"
        "\t\tat T$Res.close(T.java:4)\n"
        "\t\t... 1 more\n"
        "Caused by: [CIRCULAR REFERENCE: java.lang.IllegalStateException: outer]\n"
        "\t... 10 more",
        "plain",
        "2024-01-01 12:00:00,123 ERROR [main] com.foo.Bar - root first\n"
        "java.io.IOException: root\n"
        "\tat T.b(T.java:4) ~[app.jar:1.0]\n"
        "Wrapped by: java.lang.RuntimeException: outer\n"
        "second line\n"
        "\tat T.a(T.java:3)",
        "done");
}

static void
a_java_trace_belongs_to_the_line_of_its_logger(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("java",
        "2024-01-01 12:00:00,123 ERROR [main] com.foo.Bar - it failed\n"
        "com.foo.NoUsualName: oops\n"
        "\tat com.foo.Bar.baz(Bar.java:10)\n"
        "Caused by: java.lang.Error",
        "2024-01-01 12:00:00,124 INFO  [main] com.foo.Bar - next",
        "2024-01-01 12:00:00,124 INFO  [main] com.foo.Bar - and next",
        "12:00:00.123 [main] ERROR T - java.lang.RuntimeException: in the line itself\n"
        "\tat T.a(T.java:3)",
        "Starting",
        "java.lang.RuntimeException: of nobody's line\n"
        "\tat T.a(T.java:3)");
}

static void
spring_boot_puts_an_empty_line_before_a_trace(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("java",
        "2024-01-01T12:00:00.000+01:00 ERROR 7 --- [main] o.s.boot.SpringApplication : It failed\n"
        "\n"
        "org.springframework.beans.factory.BeanCreationException: Error creating bean\n"
        "\tat org.springframework.boot.SpringApplication.run(SpringApplication.java:343)\n"
        "Caused by: java.lang.IllegalStateException: x\n"
        "\t... 21 common frames omitted",
        "",
        "2024-01-01T12:00:00.001+01:00  INFO 7 --- [main] o.s.boot.SpringApplication : a banner:",
        "",
        "*****");
}

static void
a_java_message_may_have_several_lines(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("java",
        "java.lang.IllegalStateException: outer\n"
        "second line\n"
        "\n"
        "fourth line\n"
        "\tat T.a(T.java:3)\n"
        "Caused by: java.lang.IllegalStateException: inner\n"
        "second line\n"
        "\t... 3 more",
        "java.lang.Error: without a trace",
        "2024-01-01T12:00:00Z INFO next");
}

static void
java_util_logging_writes_two_lines(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("java",
        "Nov 25, 2026 4:29:03 PM T main\n"
        "SEVERE: jul\n"
        "java.lang.RuntimeException: r\n"
        "\tat T.main(T.java:7)",
        "Nov 25, 2026 4:29:04 PM T main\n"
        "INFO: jul");
}

/* ---- Python ---------------------------------------------------------------------- */

static void
a_python_trace_may_be_chained(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("python",
        "2026-11-25 16:28:57,067 ERROR root: it failed\n"
        "Traceback (most recent call last):\n"
        "  File \"/srv/p.py\", line 5, in f\n"
        "    {}[\"a\"]\n"
        "    ~~^^^^^\n"
        "KeyError: 'a'\n"
        "\n"
        "The above exception was the direct cause of the following exception:\n"
        "\n"
        "Traceback (most recent call last):\n"
        "  File \"/srv/p.py\", line 7, in f\n"
        "ValueError: bad\n"
        "  thing\n"
        "\n"
        "During handling of the above exception, another exception occurred:\n"
        "\n"
        "Traceback (most recent call last):\n"
        "  File \"/srv/p.py\", line 10, in <module>\n"
        "  [Previous line repeated 996 more times]\n"
        "RuntimeError: worse",
        "2026-11-25 16:28:57,119 WARNING root: next");
}

static void
an_empty_line_behind_a_python_trace_is_a_record_of_its_own(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("python",
        "Traceback (most recent call last):\n"
        "  File \"x.py\", line 1, in <module>\n"
        "KeyboardInterrupt",
        "",
        "usual output",
        "Traceback (most recent call last):\n"
        "  File \"x.py\", line 1, in <module>\n"
        "pkg.mod.f.<locals>.Oops",
        "");
}

static void
python_traces_in_a_row_are_told_apart(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("python",
        "INFO:root:starting",
        "Traceback (most recent call last):\n"
        "  File \"x.py\", line 1, in <module>\n"
        "ZeroDivisionError: division by zero",
        "Traceback (most recent call last):\n"
        "  File \"<string>\", line 1\n"
        "    1 +\n"
        "       ^\n"
        "SyntaxError: invalid syntax",
        "ERROR:root:it failed\n"
        "Traceback (most recent call last):\n"
        "  File \"x.py\", line 1, in <module>\n"
        "ValueError",
        "Exception in worker: Traceback (most recent call last):\n"
        "  File \"x.py\", line 1, in <module>\n"
        "ValueError: 1");
}

static void
a_python_exception_group_is_one_record(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("python",
        "2026-11-25 16:28:57,119 ERROR root: group\n"
        "  + Exception Group Traceback (most recent call last):\n"
        "  |   File \"/srv/p.py\", line 13, in <module>\n"
        "  |     try: raise ExceptionGroup(\"g\", [ValueError(1)])\n"
        "  | ExceptionGroup: g (1 sub-exception)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | Traceback (most recent call last):\n"
        "    |   File \"/srv/p.py\", line 1, in <module>\n"
        "    | ValueError: 1\n"
        "    +------------------------------------",
        "next",
        "  + Exception Group Traceback (most recent call last):\n"
        "  | ExceptionGroup: g (1 sub-exception)");
}

/* Until the next line of the log: what is printed by itself ends with the error's own line. */
static void
a_python_error_that_was_logged_may_have_several_lines(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("python",
        "2026-11-25 16:28:57,067 ERROR app: failed\n"
        "Traceback (most recent call last):\n"
        "  File \"/srv/p.py\", line 5, in f\n"
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for Model\n"
        "x\n"
        "  Input should be a valid integer\n"
        "\n"
        "behind an empty line\n"
        "a note",
        "2026-11-25 16:28:57,119 ERROR app: next\n"
        "Traceback (most recent call last):\n"
        "  File \"/srv/p.py\", line 5, in f\n"
        "ValueError: bad",
        "",
        "2026-11-25 16:28:57,120 INFO app: one more",
        "Traceback (most recent call last):\n"
        "  File \"/srv/p.py\", line 5, in f\n"
        "ValueError: first",
        "second");
}

static void
a_python_trace_of_loguru_has_empty_lines(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("python",
        "2026-11-25 23:30:04.380 | ERROR    | __main__:nested:6 - What?!\n"
        "Traceback (most recent call last):\n"
        "\n"
        "  File \"/srv/lg.py\", line 7, in <module>\n"
        "    nested(0)\n"
        "    \xe2\x94\x94 <function nested at 0x7f9b02bd3b00>\n"
        "\n"
        "> File \"/srv/lg.py\", line 5, in nested\n"
        "    try: func(5, c)\n"
        "\n"
        "KeyError: 'a'\n"
        "\n"
        "\n"
        "The above exception was the direct cause of the following exception:\n"
        "\n"
        "\n"
        "Traceback (most recent call last):\n"
        "\n"
        "> File \"/srv/lg.py\", line 10, in <module>\n"
        "\n"
        "ValueError: bad\n"
        "second",
        "2026-11-25 23:30:04.387 | INFO     | __main__:<module>:7 - next");
}

static void
a_python_trace_belongs_to_the_line_that_says_where_it_is_from(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("python",
        "Exception in thread Thread-1 (boom):\n"
        "Traceback (most recent call last):\n"
        "  File \"/usr/lib/python3.11/threading.py\", line 1038, in _bootstrap_inner\n"
        "RuntimeError: in thread",
        "Exception ignored in: <function X.__del__ at 0x7f1e3283c5e0>\n"
        "Traceback (most recent call last):\n"
        "  File \"/srv/t.py\", line 39, in __del__\n"
        "RuntimeError: in del",
        "Process SpawnProcess-2:\n"
        "Traceback (most recent call last):\n"
        "  File \"/srv/t.py\", line 3, in run\n"
        "RuntimeError: in a process",
        "2026-11-25 22:44:51,642 ERROR asyncio: Task exception was never retrieved\n"
        "future: <Task finished name='Task-2' coro=<bad() done> exception=RuntimeError('x')>\n"
        "Traceback (most recent call last):\n"
        "  File \"/srv/t.py\", line 34, in bad\n"
        "RuntimeError: in task",
        "2026-11-25 22:44:51,643 INFO app: next");
}

#define REMOTE_TRACE                                                         \
    "concurrent.futures.process._RemoteTraceback: \n"                        \
    "\"\"\"\n"                                                               \
    "Traceback (most recent call last):\n"                                   \
    "  File \"/srv/t.py\", line 45, in work\n"                               \
    "ZeroDivisionError: integer division or modulo by zero\n"                \
    "\"\"\"\n"                                                               \
    "\n"                                                                     \
    "The above exception was the direct cause of the following exception:\n" \
    "\n"                                                                     \
    "Traceback (most recent call last):\n"                                   \
    "  File \"/srv/t.py\", line 48, in <module>\n"                           \
    "ZeroDivisionError: integer division or modulo by zero"

static void
a_python_trace_may_quote_that_of_another_process(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("python",
        REMOTE_TRACE,
        "next",
        "2026-11-25 22:44:51,697 ERROR app: remote\n" REMOTE_TRACE,
        "2026-11-25 22:44:51,698 ERROR app: while another was handled\n"
        "Traceback (most recent call last):\n"
        "KeyError: 'a'\n"
        "\n"
        "During handling of the above exception, another exception occurred:\n"
        "\n" REMOTE_TRACE,
        "2026-11-25 22:44:51,700 INFO app: next");
}

/* ---- Go -------------------------------------------------------------------------- */

static void
a_go_panic_has_a_dump_of_goroutines(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("go",
        "2026/11/25 16:30:39 starting",
        "panic: assignment to entry in nil map\n"
        "\n"
        "goroutine 7 [running]:\n"
        "main.(*T).f(...)\n"
        "\t/srv/main.go:4\n"
        "main.main.func2()\n"
        "\t/srv/main.go:5 +0x58\n"
        "created by main.main in goroutine 1\n"
        "\t/srv/main.go:5 +0x76\n"
        "\n"
        "goroutine 1 [semacquire, 2 minutes, locked to thread]:\n"
        "sync.(*WaitGroup).Wait(0x1ab9edc40c0)\n"
        "\t/usr/local/go/src/sync/waitgroup.go:206 +0x85\n"
        "...additional frames elided...\n"
        "created by main.main",
        "exit status 2");
}

static void
a_go_panic_may_have_more_lines_before_the_dump(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("go",
        "panic: runtime error: invalid memory address or nil pointer dereference [recovered]\n"
        "\tpanic: again\n"
        "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47a76d]\n"
        "\n"
        "goroutine 1 [running]:\n"
        "panic({0x483840?, 0x520af0?})\n"
        "\t/usr/local/go/src/runtime/panic.go:860 +0x13a",
        "fatal error: all goroutines are asleep - deadlock!\n"
        "\n"
        "goroutine 1 [chan receive]:\n"
        "main.main()\n"
        "\t/srv/e.go:2 +0x25",
        "",
        "panic: one\n"
        "two\n"
        "\n"
        "goroutine 1 [running]:\n"
        "main.main()\n"
        "\t/srv/e.go:2 +0x25");
}

/* As the runtime indents them since Go 1.18. */
static void
a_go_panics_message_may_have_empty_lines(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("go",
        "panic: one\n"
        "\t\n"
        "\t\n"
        "\tfour\n"
        "\t\n"
        "\n"
        "goroutine 1 [running]:\n"
        "main.Map[...](...)\n"
        "\t/srv/e.go:2 +0x25",
        "next",
        "panic: nothing behind it",
        "",
        "2026/11/25 16:30:41 next");
}

static void
a_go_runtime_that_is_stopped_shows_its_registers(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("go",
        "SIGQUIT: quit\n"
        "PC=0x46b5a1 m=0 sigcode=0\n"
        "\n"
        "goroutine 0 gp=0x52 m=0 mp=0x52 [idle]:\n"
        "runtime.futex(0x5212, 0x80)\n"
        "\t/usr/local/go/src/runtime/sys_linux_amd64.s:557 +0x21\n"
        "\n"
        "rax    0xca\n"
        "rflags 0x246\n"
        "cs     0x33",
        "runtime: goroutine stack exceeds 1000000000-byte limit\n"
        "fatal error: stack overflow\n"
        "\n"
        "runtime stack:\n"
        "runtime.throw({0x4a, 0xe})\n"
        "\t/usr/local/go/src/runtime/panic.go:1023 +0x5c\n"
        "\n"
        "goroutine 1 [running]:\n"
        "main.f(0x1)\n"
        "\t/srv/e.go:2 +0x25");
}

static void
a_go_dump_belongs_to_the_line_of_its_logger(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("go",
        "2026/11/25 16:30:40 http: panic serving 127.0.0.1:40134: boom\n"
        "goroutine 20 [running]:\n"
        "net/http.(*conn).serve.func1()\n"
        "\t/usr/local/go/src/net/http/server.go:1897 +0xbd\n"
        "created by net/http.(*Server).Serve in goroutine 6\n"
        "\t/usr/local/go/src/net/http/server.go:3464 +0x485",
        "2026/11/25 16:30:41 next",
        "plain",
        "goroutine 1 [running]:\n"
        "main.main()\n"
        "\t/srv/e.go:2 +0x25");
}

/* zap's console encoder, which Kubernetes' controllers use; pkg/errors in "%+v". */
static void
a_go_trace_may_have_functions_without_arguments(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("go",
        "2026-11-25T16:30:40.123Z\tERROR\tReconciler error\t{\"error\": \"x\"}\n"
        "sigs.k8s.io/controller-runtime/pkg/internal/controller.(*Controller).reconcileHandler\n"
        "\t/go/pkg/mod/sigs.k8s.io/controller-runtime@v0.12.3/pkg/internal/controller.go:326\n"
        "sigs.k8s.io/controller-runtime/pkg/internal/controller.(*Controller[...]).Start.func2.2\n"
        "\t/go/pkg/mod/sigs.k8s.io/controller-runtime@v0.12.3/pkg/internal/controller.go:234",
        "2026-11-25T16:30:40.124Z\tINFO\tnext",
        "2026/11/25 16:30:41 failed: outer: inner\n"
        "main.load\n"
        "\t/srv/main.go:12\n"
        "main.main\n"
        "\t/srv/main.go:20\n"
        "outer\n"
        "main.main\n"
        "\t/srv/main.go:21\n"
        "runtime.goexit\n"
        "\t/usr/local/go/src/runtime/asm_amd64.s:1594",
        "printed",
        "2026/11/25 16:30:42 next\n"
        "main.main\n"
        "\t/srv/main.go:21",
        "example.org",
        "main.go",
        "done");
}

/* ---- Ruby ------------------------------------------------------------------------ */

static void
a_ruby_trace_has_the_error_first(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("ruby",
        "I, [2024-01-01T12:00:00.1 #1]  INFO -- : starting",
        "/srv/foo.rb:3:in `bar': divided by 0 (ZeroDivisionError)\n"
        "\tfrom /srv/foo.rb:7:in `baz'\n"
        "\t ... 9 levels...\n"
        "\tfrom /srv/foo.rb:9:in `<main>'",
        "/srv/foo.rb:3:in 'Integer#/': divided by 0 (ZeroDivisionError)\n"
        "\tfrom /srv/foo.rb:7:in 'Foo#baz'",
        "done",
        "E, [2024-01-01T12:00:00.1 #1] ERROR -- : it failed\n"
        "/srv/foo.rb:3:in `bar'\n"
        "/srv/foo.rb:7:in `baz'",
        "#<Thread:0x00007f t.rb:1 run> terminated with exception (report_on_exception is true):\n"
        "t.rb:1:in `block in <main>': x (RuntimeError)");
}

static void
a_ruby_cause_belongs_to_its_error(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("ruby",
        "t.rb:4:in `rescue in foo': outer (RuntimeError)\n"
        "\tfrom t.rb:1:in `foo'\n"
        "\tfrom t.rb:9:in `<main>'\n"
        "t.rb:2:in `foo': inner (ArgumentError)\n"
        "\tfrom t.rb:9:in `<main>'",
        "next");
}

static void
a_ruby_message_may_have_several_lines(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("ruby",
        "E, [2026-11-25T22:46:17.894810 #16134] ERROR -- : first\n"
        "second\n"
        "\n"
        "fourth (RuntimeError)\n"
        "t.rb:9:in `bar'\n"
        "t.rb:10:in `<main>'",
        "I, [2026-11-25T22:46:17.894846 #16134]  INFO -- : logged",
        "t.rb:9:in `<main>': first (RuntimeError)\n"
        "second\n"
        "\n"
        "fourth\n"
        "\tfrom t.rb:12:in `baz'",
        "RuntimeError: printed by hand\n"
        "t.rb:5:in `rescue in bar'\n"
        "t.rb:5:in `bar'",
        "I, [2026-11-25T22:46:17.894846 #16134]  INFO -- : next",
        "puts");
}

static void
ruby_may_show_the_source_and_what_was_meant(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("ruby",
        "t.rb:1:in `<main>': undefined method `foo' for 1:Integer (NoMethodError)\n"
        "\n"
        "1.foo\n"
        " ^^^^\n"
        "Did you mean?  floor",
        "t.rb:1:in `<main>': undefined method `foo' for 1:Integer (NoMethodError)\n"
        "Did you mean?  floor",
        "t.rb:2:in `<main>': x (NameError)",
        "",
        "2024-01-01 12:00:00 INFO next");
}

static void
ruby_may_write_the_error_last(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("ruby",
        "Traceback (most recent call last):\n"
        "\t2: from t.rb:9:in `<main>'\n"
        "\t1: from t.rb:2:in `foo'\n"
        "t.rb:5:in `bar': undefined local variable (NameError)",
        "next");
}

static void
rails_logs_an_error_and_its_place(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("ruby",
        "F, [2024-01-01T12:00:00.123456 #123] FATAL -- : [req-1]   \n"
        "[req-1] ActionController::RoutingError (No route matches [GET] \"/x\"):\n"
        "  \n"
        "actionpack (5.2.1) lib/action_dispatch/middleware/debug_exceptions.rb:65:in `call'\n"
        "app/controllers/x.rb:3:in `index'",
        "NameError (uninitialized constant X):\n"
        "  \n"
        "app/controllers/x.rb:3:in `index'",
        "Started GET \"/\"");
}

static void
a_message_in_rails_may_have_several_lines(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("ruby",
        "Completed 500 Internal Server Error in 4ms (ActiveRecord: 0.7ms)",
        "ActiveRecord::StatementInvalid (PG::UndefinedTable: ERROR:  relation \"x\"\n"
        "LINE 1: SELECT * FROM x WHERE at > '2026-11-25 10:00:00'\n"
        "                      ^\n"
        "):\n"
        "  \n"
        "app/models/x.rb:3:in `foo'\n"
        "app/controllers/x.rb:4:in `index'",
        "Started GET \"/\"",
        "F, [2026-11-25T22:46:17.894810 #7] FATAL -- : [req-1]   \n"
        "[req-1] ActiveRecord::StatementInvalid (PG::UndefinedTable: ERROR:  relation \"x\"\n"
        "LINE 1: SELECT * FROM x WHERE at > '2026-11-25 10:00:00'\n"
        "):\n"
        "  \n"
        "app/models/x.rb:3:in `foo'",
        "Started GET \"/\"");
}

/* ---- Indented -------------------------------------------------------------------- */

static void
indented_lines_belong_to_the_line_before(void **state)
{
    (void)state;
    THEN_EACH_IS_ONE("indented", "a\n b\n\tc", "d", "", "e\n  f");
}

/* ---- Settings --------------------------------------------------------------------- */

static void
then_mistake(struct node *map, const char *text, unsigned column)
{
    struct multiline *m = multiline_load("input 'in'", map, &g.errs);

    assert_null(m);
    assert_int_equal(g.errs.count, 1);
    assert_string_equal(g.errs.list[0].text, text);
    assert_int_equal(g.errs.list[0].at.column, column);
}

static void
one_way_must_be_given(void **state)
{
    struct node *map = tree_root_map(&g.tree);

    (void)state;
    tree_entry(&g.tree, map, "max_lines", NODE_SCALAR, "5");
    then_mistake(map, "input 'in': multiline needs 'start', 'continue' or 'preset'", 0);
}

static void
two_ways_cannot_be_given(void **state)
{
    struct node *map = tree_root_map(&g.tree);

    (void)state;
    tree_entry(&g.tree, map, "start", NODE_SCALAR, "^a");
    tree_entry(&g.tree, map, "continue", NODE_SCALAR, "^b");
    then_mistake(map, "input 'in': multiline: 'continue' cannot stand beside 'start'", 3);
}

static void
a_bad_pattern_is_told_with_its_place(void **state)
{
    struct node *map = tree_root_map(&g.tree);

    (void)state;
    tree_entry(&g.tree, map, "start", NODE_SCALAR, "^a(");
    then_mistake(map, "input 'in': multiline: bad regular expression: missing closing parenthesis "
                 "(at offset 3)", 13);
}

static void
an_unknown_preset_is_told_with_the_nearest_one(void **state)
{
    struct node *map = tree_root_map(&g.tree);

    (void)state;
    tree_entry(&g.tree, map, "preset", NODE_SCALAR, "pyton");
    assert_null(multiline_load("input 'in'", map, &g.errs));
    assert_int_equal(g.errs.count, 1);
    assert_non_null(strstr(g.errs.list[0].text, "python"));
}

static void
defaults_are_those_of_the_contract(void **state)
{
    (void)state;
    grouped_multiline(&g, "start", "^(a)(b)");
    assert_int_equal(g.plan->multiline->timeout, 5000);
    assert_int_equal(g.plan->multiline->max_lines, 1000);
    assert_int_equal(g.plan->multiline->max_size, 1024 * 1024);
    assert_int_equal(multiline_groups(g.plan->multiline), 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_java_trace_has_causes_and_suppressed_ones),
        TEST(a_java_trace_may_begin_with_its_root_and_have_messages_anywhere),
        TEST(a_java_trace_belongs_to_the_line_of_its_logger),
        TEST(spring_boot_puts_an_empty_line_before_a_trace),
        TEST(a_java_message_may_have_several_lines),
        TEST(java_util_logging_writes_two_lines),
        TEST(a_python_trace_may_be_chained),
        TEST(an_empty_line_behind_a_python_trace_is_a_record_of_its_own),
        TEST(python_traces_in_a_row_are_told_apart),
        TEST(a_python_exception_group_is_one_record),
        TEST(a_python_error_that_was_logged_may_have_several_lines),
        TEST(a_python_trace_of_loguru_has_empty_lines),
        TEST(a_python_trace_belongs_to_the_line_that_says_where_it_is_from),
        TEST(a_python_trace_may_quote_that_of_another_process),
        TEST(a_go_panic_has_a_dump_of_goroutines),
        TEST(a_go_panic_may_have_more_lines_before_the_dump),
        TEST(a_go_panics_message_may_have_empty_lines),
        TEST(a_go_runtime_that_is_stopped_shows_its_registers),
        TEST(a_go_dump_belongs_to_the_line_of_its_logger),
        TEST(a_go_trace_may_have_functions_without_arguments),
        TEST(a_ruby_trace_has_the_error_first),
        TEST(a_ruby_cause_belongs_to_its_error),
        TEST(a_ruby_message_may_have_several_lines),
        TEST(ruby_may_show_the_source_and_what_was_meant),
        TEST(ruby_may_write_the_error_last),
        TEST(rails_logs_an_error_and_its_place),
        TEST(a_message_in_rails_may_have_several_lines),
        TEST(indented_lines_belong_to_the_line_before),
        TEST(one_way_must_be_given),
        TEST(two_ways_cannot_be_given),
        TEST(a_bad_pattern_is_told_with_its_place),
        TEST(an_unknown_preset_is_told_with_the_nearest_one),
        TEST(defaults_are_those_of_the_contract),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
