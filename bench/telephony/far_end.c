/* The far end: people who talk and press keys. Sends 50 packets a second on the sockets of the receiver, which are
 * inherited, and a key every 5 s on each (RFC 4733: a press of 100 ms, its end three times).
 *
 * The first line on standard input has pairs of a descriptor and a port on this machine (every run of digits is a
 * number). From then on each line is answered with what happened since the last one. SSRC and time stamps do not
 * depend on the start of this program, so that a call goes on with the next one. */
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

#define SLOTS 20
#define HEADER 12
#define AUDIO 160
#define EVENT 4
#define MOST 30000
#define GIVE_UP_NS 100000000
#define SLOT_NS (20000000 / SLOTS)
#define TICKS_PER_KEY 250
#define PRESS 5
#define ENDS 3

static struct { int socket; uint32_t ssrc; struct sockaddr_in to; } streams[MOST];
static int count;
static atomic_ullong sent, errors, keys;
static atomic_llong latest_ns;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Writes the packet of a stream at a tick, and returns its length. */
static size_t packet_of(unsigned char *packet, int stream, uint32_t tick) {
    uint32_t phase = (tick + (uint32_t)stream * 7) % TICKS_PER_KEY, stamp = tick * AUDIO;
    uint16_t sequence = htons((uint16_t)tick);
    int pressing = phase < PRESS + ENDS - 1;
    packet[0] = 0x80;
    packet[1] = pressing ? 101 | (phase == 0 ? 0x80 : 0) : 8;
    if (pressing) stamp -= phase * AUDIO;
    stamp = htonl(stamp);
    memcpy(packet + 2, &sequence, 2);
    memcpy(packet + 4, &stamp, 4);
    memcpy(packet + 8, &streams[stream].ssrc, 4);
    if (!pressing) {
        memset(packet + HEADER, tick & 0x7F, AUDIO);
        return HEADER + AUDIO;
    }
    int over = phase >= PRESS - 1;
    uint16_t duration = htons((uint16_t)((over ? PRESS : phase + 1) * AUDIO));
    packet[HEADER] = tick / TICKS_PER_KEY % 10;
    packet[HEADER + 1] = 10 | (over ? 0x80 : 0);
    memcpy(packet + HEADER + 2, &duration, 2);
    if (phase == 0) keys++;
    return HEADER + EVENT;
}

static void *send_for_ever(void *unused) {
    static unsigned char packet[HEADER + AUDIO];
    uint32_t tick = (uint32_t)(now_ns() / 20000000);
    int64_t due = now_ns();
    (void)unused;
    for (;; tick++) {
        for (int slot = 0; slot < SLOTS; slot++) {
            due += SLOT_NS;
            struct timespec t = {due / 1000000000LL, due % 1000000000LL};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
            int64_t late = now_ns() - due;
            if (late > atomic_load(&latest_ns)) atomic_store(&latest_ns, late);
            if (late > GIVE_UP_NS) due = now_ns();
            for (int i = slot; i < count; i += SLOTS) {
                size_t length = packet_of(packet, i, tick);
                ssize_t n = sendto(streams[i].socket, packet, length, MSG_DONTWAIT,
                                   (struct sockaddr *)&streams[i].to, sizeof streams[i].to);
                if (n == (ssize_t)length) sent++; else errors++;
            }
        }
    }
    return NULL;
}

int main(void) {
    static char line[1 << 20];
    long numbers[2];
    int have = 0;
    if (!fgets(line, sizeof line, stdin)) return 2;
    for (char *at = line; *at && count < MOST;) {
        if (!isdigit((unsigned char)*at)) { at++; continue; }
        numbers[have++] = strtol(at, &at, 10);
        if (have < 2) continue;
        have = 0;
        streams[count].socket = (int)numbers[0];
        streams[count].ssrc = htonl(0x0FA00000u + (uint32_t)numbers[0]);
        streams[count].to.sin_family = AF_INET;
        streams[count].to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        streams[count++].to.sin_port = htons((uint16_t)numbers[1]);
    }
    pthread_t thread;
    if (pthread_create(&thread, NULL, send_for_ever, NULL)) return 1;
    printf("{\"streams\": %d}\n", count);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        printf("{\"sent\": %llu, \"errors\": %llu, \"keys\": %llu, \"late_ms\": %.3f}\n", atomic_exchange(&sent, 0),
               atomic_exchange(&errors, 0), atomic_exchange(&keys, 0), atomic_exchange(&latest_ns, 0) / 1e6);
        fflush(stdout);
    }
    return 0;
}
