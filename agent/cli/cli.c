/* cli.c - see cli.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/strings.h"

static const struct command {
    const char    *name;
    cli_command_f *run;
    const char    *arguments;
    const char    *does;        /* for the list of commands */
    const char    *options;     /* a line each, for --help */
} commands[] = {
    { "run", cli_run, "[-c FILE]", "follow the files and ship them, in the foreground",
      "  -c, --config FILE    the configuration (" CLI_DEFAULT_CONFIG ")\n"
      "SIGTERM and SIGINT stop cleanly, a second one at once.\n" },
    { "check", cli_check, "[-c FILE] [--connect]",
      "check the configuration, run its tests; show what it would follow and where that goes",
      "  -c, --config FILE    the configuration (" CLI_DEFAULT_CONFIG ")\n"
      "      --connect        also try the clusters: login, rights, topics, limits\n" },
    { "try", cli_try, "[-c FILE] --input NAME [--path P] [--partitions N] [FILE]",
      "show what would be sent for sample lines",
      "  -c, --config FILE    the configuration (" CLI_DEFAULT_CONFIG ")\n"
      "  -i, --input NAME     the input that the lines are given to\n"
      "      --path P         the file name that they pretend to come from\n"
      "      --partitions N   show the partition, as if topics had N of them\n"
      "  FILE                 the sample lines (stdin)\n" },
    { "demo", cli_demo, "[--json] [FILE]",
      "no set-up: ship FILE, or a generated log, to an embedded broker and read it back",
      "      --json           print records as JSON\n"
      "  FILE                 the log to ship (one that is made up)\n" },
    { "offsets", cli_offsets, "[-c FILE] list | set PATH OFFSET | forget PATH",
      "show or change how far files were acknowledged",
      "  -c, --config FILE    the configuration (" CLI_DEFAULT_CONFIG ")\n" },
    { "replay", cli_replay, "[-c FILE] DEADFILE", "send a file of dead letters again",
      "  -c, --config FILE    the configuration (" CLI_DEFAULT_CONFIG ")\n"
      "  DEADFILE             such as STATE_DIR/dead_letter/OUTPUT.jsonl; it stays as it is\n"
      "Status 0 if all were acknowledged, 1 if not; what was refused again is told.\n" },
    { "reference", cli_reference, "[NAME]", "every setting, as Markdown",
      "  NAME                 only this section (kafka, inputs.file) or key (max_line)\n" },
    { "version", cli_version, "", "the version, and those of the libraries", "" },
};

enum { NCOMMANDS = sizeof commands / sizeof *commands, MANY_OPTIONS = 16 };

/* Those that config.md has and this version has not. */
static const char *const later_commands[] = {
    "status", "top", "tap", "explain", "reload",
};

static const struct command *
find_command(const char *name)
{
    for (size_t i = 0; i < NCOMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void
print_synopsis(FILE *out, const struct command *c)
{
    fprintf(out, "usage: stoker %s%s%s\n", c->name, *c->arguments != '\0' ? " " : "",
            c->arguments);
}

static int
print_command_help(const struct command *c)
{
    print_synopsis(stdout, c);
    printf("%s\n%s", c->does, c->options);
    return EXIT_DONE;
}

static void
print_commands(FILE *out)
{
    fputs("usage: stoker COMMAND [OPTIONS]\n\n", out);
    for (size_t i = 0; i < NCOMMANDS; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].does);
    fputs("\n`stoker COMMAND --help` says more.\n", out);
}

int
cli_usage(const char *command, const char *fmt, ...)
{
    const struct command *c = find_command(command);
    va_list               ap;

    fputs("stoker: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    if (c != NULL)
        print_synopsis(stderr, c);
    return EXIT_USAGE;
}

/* ---- Options ---------------------------------------------------------------- */

static void
say_unknown_option(const char *command, const char *given, const struct option *longs)
{
    const char *names[MANY_OPTIONS], *near;
    size_t      n = 0;

    for (; longs[n].name != NULL && n < MANY_OPTIONS; n++)
        names[n] = longs[n].name;
    near = strncmp(given, "--", 2) == 0 ? strings_nearest(given + 2, names, n) : NULL;
    if (near != NULL)
        (void)cli_usage(command, "there is no option '%s' (did you mean '--%s'?)", given, near);
    else
        (void)cli_usage(command, "there is no option '%s'", given);
}

/* `shorts` begins with ':', so that getopt tells what is missing from what is unknown. */
int
cli_option(int argc, char **argv, const char *shorts, const struct option *longs)
{
    const int   option = getopt_long(argc, argv, shorts, longs, NULL);
    const char  letter[] = { '-', (char)optopt, '\0' };
    const char *last = option != -1 ? argv[optind - 1] : "";

    if (option == '?' && optopt != 0 && strchr(shorts, optopt) == NULL &&
        strncmp(last, "--", 2) != 0)
        (void)cli_usage(argv[0], "there is no option '%s'", letter);
    else if (option == '?' && optopt != 0)
        (void)cli_usage(argv[0], "option '%s' takes no value", last);
    else if (option == '?')
        say_unknown_option(argv[0], last, longs);
    else if (option == ':' || (option != -1 && optarg != NULL && *optarg == '\0'))
        (void)cli_usage(argv[0], "option '%s' needs a value",
                        option == ':' || *last != '\0' ? last : argv[optind - 2]);
    else
        return option;
    return '?';
}

int
cli_config_option(int argc, char **argv, const char **file)
{
    static const struct option longs[] = {
        { "config", required_argument, NULL, 'c' }, { NULL, 0, NULL, 0 },
    };
    int option;

    while ((option = cli_option(argc, argv, ":c:", longs)) != -1) {
        if (option != 'c')
            return -1;
        *file = optarg;
    }
    return 0;
}

/* ---- Commands --------------------------------------------------------------- */

static int
unknown_command(const char *name)
{
    const char *names[NCOMMANDS], *near;

    for (size_t i = 0; i < sizeof later_commands / sizeof *later_commands; i++)
        if (strcmp(name, later_commands[i]) == 0) {
            fprintf(stderr, "stoker: command '%s' is not supported yet\n", name);
            return EXIT_USAGE;
        }
    for (size_t i = 0; i < NCOMMANDS; i++)
        names[i] = commands[i].name;
    near = strings_nearest(name, names, NCOMMANDS);
    fprintf(stderr, "stoker: there is no command '%s'", name);
    if (near != NULL)
        fprintf(stderr, " (did you mean '%s'?)\n", near);
    else if (*name == '-')
        fputs(" (options stand behind it: stoker COMMAND [OPTIONS])\n", stderr);
    else
        fputs(" (`stoker --help` lists them)\n", stderr);
    return EXIT_USAGE;
}

static bool
is_one_of(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

/* What was printed must have arrived: a full disk is no success.  Nothing is said where a
 * reader such as head(1) has seen enough. */
static int
was_written(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (errno != EPIPE)
        fprintf(stderr, "stoker: cannot write to stdout: %s\n", error_reason(errno));
    return status == EXIT_DONE ? EXIT_FAILED : status;
}

/* `stoker COMMAND ... --help`, wherever it stands. */
static bool
asks_for_help(int argc, char **argv)
{
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_one_of(argv[i], "-h", "--help"))
            return true;
    return false;
}

static int
run_command(int argc, char **argv)
{
    const struct command *c;

    if (argc < 2) {
        print_commands(stderr);
        return EXIT_USAGE;
    }
    if (is_one_of(argv[1], "-h", "--help") || strcmp(argv[1], "help") == 0) {
        c = argc > 2 ? find_command(argv[2]) : NULL;
        if (c != NULL)
            return print_command_help(c);
        print_commands(stdout);
        return EXIT_DONE;
    }
    if (is_one_of(argv[1], "-V", "--version"))
        return cli_version(1, argv + 1);
    c = find_command(argv[1]);
    if (c == NULL)
        return unknown_command(argv[1]);
    if (asks_for_help(argc, argv))
        return print_command_help(c);
    return c->run(argc - 1, argv + 1);
}

int
cli_main(int argc, char **argv)
{
    opterr = 0;
    return was_written(run_command(argc, argv));
}

const char *
cli_shown_path(struct buf *b, const char *path)
{
    buf_clear(b);
    for (const unsigned char *p = (const unsigned char *)path; *p != '\0'; p++)
        if (*p < 0x20 || *p == 0x7f)
            buf_printf(b, "\\x%02x", *p);
        else
            buf_add_char(b, (char)*p);
    return buf_string(b);
}

struct config *
cli_load(const char *file)
{
    struct errors  errs = { NULL, 0, 0 };
    struct config *config = config_load(file != NULL ? file : CLI_DEFAULT_CONFIG, &errs);

    if (errs.count > 0) {
        tree_print_errors(stderr, config->tree, &errs);
        config_free(config);
        config = NULL;
        if (file == NULL && access(CLI_DEFAULT_CONFIG, F_OK) != 0)
            fputs("stoker: name another configuration with -c FILE\n", stderr);
    }
    errors_fini(&errs);
    return config;
}
