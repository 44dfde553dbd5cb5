/*
 * GStreamer: appsrc ! shmsink, and in another process shmsrc ! appsink. Frames are written into memory that shmsink
 * offers, and shmsrc hands out that memory itself: no copy.
 *
 *     gstreamer send|receive TASK
 */
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <unistd.h>

#include "payload.h"

static GstElement *launch(const char *description)
{
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch(description, &error);
    if (error != NULL)
        fail(error->message);
    return pipeline;
}

/* The memory that shmsink shares, which it offers to every element that asks: a frame written there is not copied. */
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
    struct source frames = {.task = task};
    for (uint32_t number = 0; next_frame(&frames, number); number++) {
        GstBuffer *buffer = allocate(allocator, task->frame_bytes);
        GstMapInfo map;
        gst_buffer_map(buffer, &map, GST_MAP_WRITE);
        write_frame(map.data, &frames, number);
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
    struct tally tally = tally_of(task);
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
    say_outcome(task, &tally);
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
