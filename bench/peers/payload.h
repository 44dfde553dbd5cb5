/* payload.ts for those that are C: the same bytes, the same sum, the same line of JSON at the end. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 64 }; /* bytes of a cache line */

struct task {
    bool steady;
    double seconds, fps;
    uint32_t frames, warmup;
    size_t frame_bytes, depth;
    char folder[256], channel[128];
};

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static uint64_t monotonic_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* The task's values have no quotes, braces or escapes in them: looking for the key is enough. */
static const char *value_of(const char *json, const char *key)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *found = strstr(json, quoted);
    if (found == NULL)
        fail("the task is incomplete");
    return found + strlen(quoted);
}

static struct task parse(const char *json)
{
    struct task task = {
        .steady = strncmp(value_of(json, "kind"), "\"latency\"", 9) == 0,
        .seconds = atof(value_of(json, "seconds")),
        .fps = atof(value_of(json, "fps")),
        .frames = (uint32_t)atol(value_of(json, "frames")),
        .warmup = (uint32_t)atol(value_of(json, "warmup")),
        .frame_bytes = (size_t)atol(value_of(json, "frameBytes")),
        .depth = (size_t)atol(value_of(json, "depth")),
    };
    if (sscanf(value_of(json, "folder"), "\"%255[^\"]", task.folder) != 1 ||
        sscanf(value_of(json, "channel"), "\"%127[^\"]", task.channel) != 1)
        fail("the task is incomplete");
    return task;
}

static uint8_t pattern_of(uint32_t number)
{
    return (uint8_t)(number * 37 + 11);
}

/* The frames to be sent, one after the other. */
struct source {
    const struct task *task;
    uint64_t start_ns;
    bool last;
};

/* Moves on to that frame; in a test of latency it waits until that is due, once warm. False after the last one. */
static bool next_frame(struct source *source, uint32_t number)
{
    const struct task *task = source->task;
    if (source->last)
        return false;
    if (number == task->warmup)
        source->start_ns = monotonic_ns();
    if (number < task->warmup)
        return true;
    uint32_t counted = number - task->warmup;
    if (task->steady) {
        uint64_t due_ns = source->start_ns + (uint64_t)(counted * 1e9 / task->fps), now = monotonic_ns();
        if (due_ns > now)
            usleep((useconds_t)((due_ns - now) / 1000));
        source->last = counted == task->frames - 1;
    } else if (counted > 0) {
        source->last = (double)(monotonic_ns() - source->start_ns) > task->seconds * 1e9;
    }
    return true;
}

static void write_frame(uint8_t *bytes, const struct source *source, uint32_t number)
{
    uint32_t words[2] = {number, source->last};
    memset(bytes, pattern_of(number), source->task->frame_bytes);
    memcpy(bytes, words, sizeof words);
    uint64_t now = monotonic_ns();
    memcpy(bytes + 8, &now, sizeof now);
}

struct tally {
    uint32_t next, latencies;
    uint64_t start_ns, end_ns, *arrived_ns, *read_ns;
};

static struct tally tally_of(const struct task *task)
{
    return (struct tally){
        .arrived_ns = calloc(task->frames + 1, sizeof(uint64_t)),
        .read_ns = calloc(task->frames + 1, sizeof(uint64_t)),
    };
}

static bool read_frame(const uint8_t *bytes, size_t size, const struct task *task, struct tally *tally)
{
    uint64_t arrived_ns = monotonic_ns();
    uint32_t sum = 0, word;
    for (size_t at = 0; at < size; at += LINE) {
        memcpy(&word, bytes + at, sizeof word);
        sum += word;
    }
    uint64_t read_ns = monotonic_ns(), written_ns;
    uint32_t words[2];
    memcpy(words, bytes, sizeof words);
    memcpy(&written_ns, bytes + 8, sizeof written_ns);
    uint32_t lines = (uint32_t)((size + LINE - 1) / LINE);
    uint32_t expected = words[0] + (lines - 1) * (pattern_of(words[0]) * 0x01010101u);
    if (words[0] != tally->next || sum != expected || size != task->frame_bytes)
        fail("wrong checksum");
    tally->next++;
    tally->end_ns = read_ns;
    if (words[0] == task->warmup)
        tally->start_ns = read_ns;
    if (words[0] >= task->warmup && task->steady) {
        tally->arrived_ns[tally->latencies] = arrived_ns - written_ns;
        tally->read_ns[tally->latencies++] = read_ns - written_ns;
    }
    return words[1] == 1;
}

static void print_list(const char *name, const uint64_t *values, uint32_t count)
{
    printf(",\"%s\":[", name);
    for (uint32_t at = 0; at < count; at++)
        printf("%s%llu", at == 0 ? "" : ",", (unsigned long long)values[at]);
    printf("]");
}

static void say_outcome(const struct task *task, const struct tally *tally)
{
    double seconds = (double)(tally->end_ns - tally->start_ns) / 1e9;
    printf("{\"frames\":%u,\"seconds\":%.9f", tally->next - 1 - task->warmup, seconds);
    print_list("arrivedNs", tally->arrived_ns, tally->latencies);
    print_list("readNs", tally->read_ns, tally->latencies);
    printf("}\n");
}
