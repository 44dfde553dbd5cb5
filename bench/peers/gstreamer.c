/*
 * GStreamer: appsrc ! shmsink, and in another process shmsrc ! appsink. Frames are written into memory that shmsink
 * offers, and shmsrc hands out that memory itself: no copy. payload.ts for the peer that is C.
 *
 *     gstreamer send|receive TASK
 */
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
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
    char folder[256];
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
    if (sscanf(value_of(json, "folder"), "\"%255[^\"]", task.folder) != 1)
        fail("the task is incomplete");
    return task;
}

static uint8_t pattern_of(uint32_t number)
{
    return (uint8_t)(number * 37 + 11);
}

static GstElement *launch(const char *description)
{
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch(description, &error);
    if (error != NULL)
        fail(error->message);
    return pipeline;
}

static void write_frame(uint8_t *bytes, const struct task *task, uint32_t number, bool last)
{
    uint32_t words[2] = {number, last};
    memset(bytes, pattern_of(number), task->frame_bytes);
    memcpy(bytes, words, sizeof words);
    uint64_t now = monotonic_ns();
    memcpy(bytes + 8, &now, sizeof now);
}

static void pace(const struct task *task, uint64_t start_ns, uint32_t number)
{
    uint64_t due_ns = start_ns + (uint64_t)(number * 1e9 / task->fps);
    uint64_t now = monotonic_ns();
    if (due_ns > now)
        usleep((useconds_t)((due_ns - now) / 1000));
}

/* The memory that shmsink shares, which it offers to whoever asks: a frame written there is not copied. */
static GstAllocator *shared_memory_of(GstElement *source)
{
    GstPad *pad = gst_element_get_static_pad(source, "src");
    GstCaps *caps = gst_pad_get_current_caps(pad);
    GstQuery *query = gst_query_new_allocation(caps, FALSE);
    GstAllocator *allocator = NULL;
    if (gst_pad_peer_query(pad, query) && gst_query_get_n_allocation_params(query) > 0)
        gst_query_parse_nth_allocation_param(query, 0, &allocator, NULL);
    if (allocator == NULL)
        fail("shmsink offers no memory");
    gst_query_unref(query);
    if (caps != NULL)
        gst_caps_unref(caps);
    gst_object_unref(pad);
    return allocator;
}

/* Where the shared memory is full, what comes is ordinary memory: then frames are waited for to come back. */
static GstBuffer *allocate(GstAllocator *allocator, size_t bytes)
{
    for (;;) {
        GstBuffer *buffer = gst_buffer_new_allocate(allocator, bytes, NULL);
        if (allocator == NULL || gst_buffer_peek_memory(buffer, 0)->allocator == allocator)
            return buffer;
        gst_buffer_unref(buffer);
        usleep(50);
    }
}

static void send_frames(const struct task *task)
{
    char description[1024];
    /* A frame more than the others have: shmsink needs room for its headers. */
    snprintf(description, sizeof description,
             "appsrc name=source block=true max-buffers=1 max-bytes=0 format=bytes caps=application/octet-stream "
             "! shmsink socket-path=%s/shm shm-size=%zu wait-for-connection=true sync=false async=false "
             "enable-last-sample=false",
             task->folder, (task->depth + 1) * task->frame_bytes);
    GstElement *pipeline = launch(description);
    GstElement *source = gst_bin_get_by_name(GST_BIN(pipeline), "source");
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstAllocator *allocator = NULL;
    uint64_t start_ns = 0;
    bool last = false;
    for (uint32_t number = 0; !last; number++) {
        if (number == (task->steady ? 0 : task->warmup))
            start_ns = monotonic_ns();
        if (task->steady) {
            pace(task, start_ns, number);
            last = number == task->warmup + task->frames - 1;
        } else if (number > task->warmup) {
            last = (double)(monotonic_ns() - start_ns) > task->seconds * 1e9;
        }
        GstBuffer *buffer = allocate(allocator, task->frame_bytes);
        GstMapInfo map;
        gst_buffer_map(buffer, &map, GST_MAP_WRITE);
        write_frame(map.data, task, number, last);
        gst_buffer_unmap(buffer, &map);
        if (gst_app_src_push_buffer(GST_APP_SRC(source), buffer) != GST_FLOW_OK)
            fail("pushing failed");
        /* Formats are agreed upon when the first frame has passed. */
        if (number == 1)
            allocator = shared_memory_of(source);
    }
    gst_app_src_end_of_stream(GST_APP_SRC(source));
    /* At the end of the stream shmsink has sent all, but what it has sent is its memory: the reader says when. */
    char done[300];
    snprintf(done, sizeof done, "%s/done", task->folder);
    for (int turn = 0; turn < 3000 && access(done, F_OK) != 0; turn++)
        usleep(1000);
    gst_element_set_state(pipeline, GST_STATE_NULL);
}

struct tally {
    uint32_t next, latencies;
    uint64_t start_ns, end_ns, *arrived_ns, *read_ns;
};

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

static void receive_frames(const struct task *task)
{
    char path[300], description[1024];
    snprintf(path, sizeof path, "%s/shm", task->folder);
    printf("{\"ready\":true}\n");
    fflush(stdout);
    /* The socket is the sender's to make. */
    for (int turn = 0; turn < 10000 && access(path, F_OK) != 0; turn++)
        usleep(1000);
    snprintf(description, sizeof description,
             "shmsrc socket-path=%s ! appsink name=sink sync=false max-buffers=1 drop=false", path);
    GstElement *pipeline = launch(description);
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    struct tally tally = {
        .arrived_ns = calloc(task->frames + 1, sizeof(uint64_t)),
        .read_ns = calloc(task->frames + 1, sizeof(uint64_t)),
    };
    for (bool last = false; !last;) {
        GstSample *sample = gst_app_sink_pull_sample(GST_APP_SINK(sink));
        if (sample == NULL)
            fail("the stream ended too early");
        GstBuffer *buffer = gst_sample_get_buffer(sample);
        GstMapInfo map;
        gst_buffer_map(buffer, &map, GST_MAP_READ);
        last = read_frame(map.data, map.size, task, &tally);
        gst_buffer_unmap(buffer, &map);
        gst_sample_unref(sample);
    }
    snprintf(path, sizeof path, "%s/done", task->folder);
    fclose(fopen(path, "w"));
    gst_element_set_state(pipeline, GST_STATE_NULL);
    printf("{\"frames\":%u,\"seconds\":%.9f", tally.next - 1 - task->warmup, (double)(tally.end_ns - tally.start_ns) / 1e9);
    print_list("arrivedNs", tally.arrived_ns, tally.latencies);
    print_list("readNs", tally.read_ns, tally.latencies);
    printf("}\n");
}

int main(int count, char **parameters)
{
    gst_init(NULL, NULL);
    if (count != 3)
        fail("gstreamer send|receive TASK");
    struct task task = parse(parameters[2]);
    if (strcmp(parameters[1], "send") == 0)
        send_frames(&task);
    else
        receive_frames(&task);
    return 0;
}
