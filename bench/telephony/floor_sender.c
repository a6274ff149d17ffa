/* The floor: sends encoded A-law to many ports, 50 packets a second each, and does nothing else.
 *
 * The first line on standard input has the ports (every run of digits is one). From then on each line is answered
 * with what happened since the last one; the end of the input is the end. A socket per stream, as calls have; the
 * streams are spread over 20 slots of 1 ms. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 20
#define PERIOD 251
#define PACKET 172
#define MOST 30000
#define GIVE_UP_NS 100000000
#define SLOT_NS (20000000 / SLOTS)

static struct { int socket; struct sockaddr_in to; } streams[MOST];
static int count;
static atomic_ullong sent, errors;
static atomic_llong latest_ns;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *send_for_ever(void *unused) {
    static unsigned char packet[PACKET];
    int64_t due = now_ns();
    (void)unused;
    packet[0] = 0x80;
    packet[1] = 8;
    for (uint32_t tick = 0;; tick++) {
        for (int slot = 0; slot < SLOTS; slot++) {
            due += SLOT_NS;
            struct timespec t = {due / 1000000000LL, due % 1000000000LL};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
            int64_t late = now_ns() - due;
            if (late > atomic_load(&latest_ns)) atomic_store(&latest_ns, late);
            if (late > GIVE_UP_NS) due = now_ns(); /* not a burst of what nobody could use any more */
            uint16_t sequence = htons((uint16_t)tick);
            uint32_t stamp = htonl(tick * 160);
            memcpy(packet + 2, &sequence, 2);
            memcpy(packet + 4, &stamp, 4);
            memset(packet + 12, tick % PERIOD, PACKET - 12);
            for (int i = slot; i < count; i += SLOTS) {
                ssize_t n = sendto(streams[i].socket, packet, PACKET, 0,
                                   (struct sockaddr *)&streams[i].to, sizeof streams[i].to);
                if (n == PACKET) sent++; else errors++;
            }
        }
    }
    return NULL;
}

int main(void) {
    static char line[1 << 20];
    if (!fgets(line, sizeof line, stdin)) return 2;
    for (char *at = line; *at && count < MOST;) {
        if (!isdigit((unsigned char)*at)) { at++; continue; }
        long port = strtol(at, &at, 10);
        struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        struct sockaddr_in to = from;
        to.sin_port = htons((uint16_t)port);
        int s = socket(AF_INET, SOCK_DGRAM, 0);
        if (s < 0 || bind(s, (struct sockaddr *)&from, sizeof from) < 0) {
            printf("{\"error\": \"no socket for stream %d\"}\n", count);
            return 1;
        }
        streams[count].socket = s;
        streams[count++].to = to;
    }
    pthread_t thread;
    if (pthread_create(&thread, NULL, send_for_ever, NULL)) return 1;
    printf("{\"streams\": %d}\n", count);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        printf("{\"sent\": %llu, \"errors\": %llu, \"late_ms\": %.3f}\n", atomic_exchange(&sent, 0),
               atomic_exchange(&errors, 0), atomic_exchange(&latest_ns, 0) / 1e6);
        fflush(stdout);
    }
    return 0;
}
