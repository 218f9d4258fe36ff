/* Moves a conversation over one connection, each side by the calls that are asked for.
 *
 *   mover FILE TRANSPORT ROLE CLIENT SERVER
 *
 * TRANSPORT  tcp:ADDRESS:PORT, unix:PATH (@ for the abstract namespace) or pair
 * ROLE       client, server, or both (the client is a child process)
 * CLIENT     ARRANGEMENT,PUT[:MOST[:VECTOR]],TAKE[:MOST[:VECTOR]]; SERVER likewise
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mover.h"

union address {
    struct sockaddr any;
    struct sockaddr_in tcp;
    struct sockaddr_un local;
};

static socklen_t resolve(const char *transport, union address *address) {
    memset(address, 0, sizeof *address);
    if (!strncmp(transport, "unix:", 5)) {
        address->local.sun_family = AF_UNIX;
        size_t length = strlen(transport + 5);
        if (length >= sizeof address->local.sun_path)
            exit(2);
        memcpy(address->local.sun_path, transport + 5, length);
        if (transport[5] == '@')
            address->local.sun_path[0] = 0;
        return offsetof(struct sockaddr_un, sun_path) + length + (transport[5] != '@');
    }
    char host[64];
    unsigned short port;
    if (sscanf(transport, "tcp:%63[^:]:%hu", host, &port) != 2) {
        fprintf(stderr, "no transport %s\n", transport);
        exit(2);
    }
    address->tcp.sin_family = AF_INET;
    address->tcp.sin_port = htons(port);
    CHECK(inet_pton(AF_INET, host, &address->tcp.sin_addr) - 1);
    return sizeof address->tcp;
}

/* Small messages go out at once: who waits for the answer does not wait for an acknowledgement. */
static int ready(int connection) {
    int on = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return connection;
}

static const struct call *find(const struct call *calls, char *spec, size_t *most, size_t *vector) {
    char *name = strsep(&spec, ":");
    *most = spec ? strtoul(strsep(&spec, ":"), NULL, 10) : 0;
    *vector = spec ? strtoul(spec, NULL, 10) : 0;
    for (; calls->name; calls++) {
        if (!strcmp(calls->name, name))
            return calls;
    }
    fprintf(stderr, "no call %s\n", name);
    exit(2);
}

static void have(char who, int connection, char *spec, const struct conversation *conversation) {
    struct side side = {.who = who, .in = connection, .out = connection};
    const char *arrangement = strsep(&spec, ",");
    side.put = find(PUTS, strsep(&spec, ","), &side.put_most, &side.put_vector);
    side.take = find(TAKES, strsep(&spec, ","), &side.take_most, &side.take_vector);
    converse(arrangement, side, conversation);
}

int main(int count, char **arguments) {
    if (count != 6) {
        fprintf(stderr, "usage: mover FILE TRANSPORT ROLE CLIENT SERVER\n");
        return 2;
    }
    struct conversation conversation = read_conversation(arguments[1]);
    const char *transport = arguments[2], *role = arguments[3];
    bool pair = !strcmp(transport, "pair");
    int listener = -1, ends[2];
    union address address;
    socklen_t size = 0;
    if (pair)
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    else
        size = resolve(transport, &address);
    if (!pair && strcmp(role, "client")) {
        listener = CHECK(socket(address.any.sa_family, SOCK_STREAM, 0));
        int on = 1;
        CHECK(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
        CHECK(bind(listener, &address.any, size));
        CHECK(listen(listener, 16));
        fprintf(stderr, "listening\n");
    }
    pid_t client = strcmp(role, "both") ? -1 : CHECK(fork());
    if (client == 0 || !strcmp(role, "client")) {
        if (listener >= 0)
            close(listener);
        int connection = ends[0];
        if (pair) {
            close(ends[1]);
        } else {
            connection = CHECK(socket(address.any.sa_family, SOCK_STREAM, 0));
            CHECK(connect(connection, &address.any, size));
        }
        have('C', ready(connection), arguments[4], &conversation);
        return 0;
    }
    if (pair)
        close(ends[0]);
    have('S', ready(pair ? ends[1] : CHECK(accept(listener, NULL, NULL))), arguments[5],
         &conversation);
    int status = 0;
    if (client > 0)
        CHECK(waitpid(client, &status, 0));
    return status != 0;
}
