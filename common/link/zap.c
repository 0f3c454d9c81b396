/* zap.c - see zap.h. */
#include "link/zap.h"

#include <stdbool.h>
#include <string.h>
#include <zmq.h>

#include "base/bytes.h"
#include "base/id.h"

#define ZAP_VERSION "1.0"
#define ZAP_ID_MAX 255

/* The frames of a request, in order; what follows the key is not ours. */
enum zap_frame {
    ZAP_FRAME_VERSION,
    ZAP_FRAME_REQUEST_ID,
    ZAP_FRAME_DOMAIN,
    ZAP_FRAME_ADDRESS,
    ZAP_FRAME_ROUTING_ID,
    ZAP_FRAME_MECHANISM,
    ZAP_FRAME_CREDENTIALS,
    ZAP_FRAMES,
};

struct zap_request {
    uint8_t id[ZAP_ID_MAX];
    size_t id_len;
    bool version_ok;
    bool curve;
    struct ent_key key;
    size_t frames;
    bool key_ok;
};

int ent_zap_open(void *context, void **zap, struct ent_err *err)
{
    void *socket = zmq_socket(context, ZMQ_REP);
    int linger = 0;

    if (socket == NULL)
        return ent_err_set(err, ENT_EFAIL, ENT_N_("ZeroMQ: %s"),
                           zmq_strerror(zmq_errno()));
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
    if (zmq_bind(socket, ENT_ZAP_ENDPOINT) != 0) {
        zmq_close(socket);
        return ent_err_set(err, ENT_EFAIL,
                           ENT_N_("the handler of connection keys cannot "
                                  "start: %s"),
                           zmq_strerror(zmq_errno()));
    }
    *zap = socket;
    return 0;
}

static bool frame_is(zmq_msg_t *frame, const char *text)
{
    return ent_slice_equal(ent_slice(zmq_msg_data(frame), zmq_msg_size(frame)),
                           ent_slice_str(text));
}

static void take_frame(struct zap_request *request, zmq_msg_t *frame)
{
    size_t len = zmq_msg_size(frame);

    switch (request->frames) {
    case ZAP_FRAME_VERSION:
        request->version_ok = frame_is(frame, ZAP_VERSION);
        break;
    case ZAP_FRAME_REQUEST_ID:
        request->id_len = len < ZAP_ID_MAX ? len : ZAP_ID_MAX;
        if (len > 0)
            memcpy(request->id, zmq_msg_data(frame), request->id_len);
        break;
    case ZAP_FRAME_MECHANISM:
        request->curve = frame_is(frame, "CURVE");
        break;
    case ZAP_FRAME_CREDENTIALS:
        request->key_ok = len == ENT_KEY_BYTES;
        if (request->key_ok)
            memcpy(request->key.b, zmq_msg_data(frame), ENT_KEY_BYTES);
        break;
    default:
        break;
    }
    request->frames++;
}

/* One request: 1, or 0 when none is waiting. */
static int read_request(void *zap, struct zap_request *request)
{
    bool more = true;

    memset(request, 0, sizeof(*request));
    while (more) {
        zmq_msg_t frame;
        int flags = request->frames == 0 ? ZMQ_DONTWAIT : 0;

        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, zap, flags) < 0) {
            zmq_msg_close(&frame);
            return 0;
        }
        more = zmq_msg_more(&frame) != 0;
        take_frame(request, &frame);
        zmq_msg_close(&frame);
    }
    return 1;
}

static void answer(void *zap, const struct zap_request *request)
{
    bool granted = request->frames == ZAP_FRAMES && request->version_ok &&
                   request->curve && request->key_ok;
    char user[2 * ENT_KEY_BYTES + 1] = "";
    const char *code = granted ? "200" : "400";

    if (granted)
        ent_hex_put(user, request->key.b, ENT_KEY_BYTES);
    zmq_send(zap, ZAP_VERSION, strlen(ZAP_VERSION), ZMQ_SNDMORE);
    zmq_send(zap, request->id, request->id_len, ZMQ_SNDMORE);
    zmq_send(zap, code, strlen(code), ZMQ_SNDMORE);
    zmq_send(zap, "", 0, ZMQ_SNDMORE);
    zmq_send(zap, user, strlen(user), ZMQ_SNDMORE);
    zmq_send(zap, "", 0, 0);
}

void ent_zap_serve(void *zap)
{
    struct zap_request request;

    while (read_request(zap, &request) > 0)
        answer(zap, &request);
}
