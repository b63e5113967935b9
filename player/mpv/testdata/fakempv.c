// A stand-in for libmpv: the functions that package mpv uses, without a decoder.
// It draws grey pictures, 50 a second, each a step brighter, from a thread of its
// own. What it plays is said by the URL:
//
//   …end…    an end of file after 200 ms
//   …fail…   loading fails
//   others   play for ever, from time stamp 10 s on
//
// The property fake-log tells what was done to it, one word each.
#include <locale.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct { int id, error; uint64_t reply; void *data; } event;
typedef struct { int reason, error; } end_file;
typedef struct { const char *name; int format; void *data; } property;
typedef struct { int type; void *data; } param;
typedef void (*callback)(void *);

enum { NONE, START = 6, END = 7, LOADED = 8, RESTART = 21, CHANGED = 22, ROOM = 256 };

typedef struct {
	pthread_mutex_t mu;
	pthread_t thread;
	int quit, playing, paused, ends, frame, due;
	double pos, speed, started;
	callback wakeup, update;
	void *wakeup_tag, *update_tag;
	event queue[ROOM];
	int head, tail;
	end_file end;
	property prop;
	const char *value;
	char log[1 << 16];
} core;

static int cores, renderers;

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void note(core *c, const char *what, const char *more) {
	size_t n = strlen(c->log);
	if (n + strlen(what) + strlen(more) + 3 > sizeof c->log) {
		n = 0; // old news
	}
	snprintf(c->log + n, sizeof c->log - n, "%s%s%s ", what, *more ? "=" : "", more);
}

static void push(core *c, int id, void *data) {
	c->queue[c->head++ % ROOM] = (event){.id = id, .data = data};
	if (c->wakeup) {
		c->wakeup(c->wakeup_tag);
	}
}

static void finish(core *c, int reason, int error) {
	c->playing = 0;
	c->end = (end_file){reason, error};
	push(c, END, &c->end);
}

static void *run(void *arg) {
	core *c = arg;
	for (;;) {
		usleep(20000);
		pthread_mutex_lock(&c->mu);
		if (c->quit) {
			pthread_mutex_unlock(&c->mu);
			return NULL;
		}
		if (c->playing && !c->paused) {
			c->pos += 0.02 * c->speed;
			c->frame++;
			c->due = 1;
			if (c->ends && now() - c->started > 0.2) {
				finish(c, 0, 0);
			}
			if (c->update) {
				c->update(c->update_tag);
			}
		}
		pthread_mutex_unlock(&c->mu);
	}
}

unsigned long mpv_client_api_version(void) {
	const char *v = getenv("FAKEMPV_API");
	return v ? strtoul(v, NULL, 0) : (2UL << 16);
}

core *mpv_create(void) {
	if (strcmp(setlocale(LC_NUMERIC, NULL), "C")) {
		return NULL; // as the real one does
	}
	core *c = calloc(1, sizeof *c);
	pthread_mutex_init(&c->mu, NULL);
	c->speed = 1;
	__atomic_add_fetch(&cores, 1, __ATOMIC_SEQ_CST);
	return c;
}

int mpv_initialize(core *c) { return pthread_create(&c->thread, NULL, run, c) ? -20 : 0; }

void mpv_terminate_destroy(core *c) {
	if (__atomic_load_n(&renderers, __ATOMIC_SEQ_CST) == __atomic_load_n(&cores, __ATOMIC_SEQ_CST)) {
		fprintf(stderr, "fakempv: the core is destroyed before the renderer\n");
		abort();
	}
	pthread_mutex_lock(&c->mu);
	c->quit = 1;
	pthread_mutex_unlock(&c->mu);
	if (c->thread) {
		pthread_join(c->thread, NULL);
	}
	__atomic_sub_fetch(&cores, 1, __ATOMIC_SEQ_CST);
	free(c);
}

int mpv_set_option_string(core *c, const char *name, const char *value) { return strcmp(name, "osc") ? 0 : -5; }

int mpv_set_property_string(core *c, const char *name, const char *value) {
	pthread_mutex_lock(&c->mu);
	note(c, name, value);
	if (!strcmp(name, "pause")) {
		c->paused = !strcmp(value, "yes");
	} else if (!strcmp(name, "speed")) {
		c->speed = atof(value);
	}
	pthread_mutex_unlock(&c->mu);
	return 0;
}

char *mpv_get_property_string(core *c, const char *name) {
	char *out = NULL;
	pthread_mutex_lock(&c->mu);
	if (!strcmp(name, "fake-log")) {
		out = strdup(c->log);
		c->log[0] = 0;
	} else if (!strcmp(name, "mpv-version")) {
		out = strdup("fake 1.0");
	} else if (c->playing && !strcmp(name, "time-pos")) {
		asprintf(&out, "%f", c->pos);
	} else if (c->playing && !strcmp(name, "demuxer-start-time")) {
		out = strdup("10.000000");
	} else if (c->playing && !strcmp(name, "demuxer-cache-state")) {
		asprintf(&out, "{\"cache-end\":%f,\"seekable-ranges\":[{\"start\":10.0,\"end\":%f}]}", c->pos + 3, c->pos + 3);
	}
	pthread_mutex_unlock(&c->mu);
	return out;
}

void mpv_free(void *p) { free(p); }

int mpv_command(core *c, const char **args) {
	pthread_mutex_lock(&c->mu);
	note(c, args[0], args[1] ? args[1] : "");
	if (!strcmp(args[0], "stop")) {
		if (c->playing) {
			finish(c, 2, 0);
		}
	} else if (!strcmp(args[0], "seek")) {
		c->pos = atof(args[1]);
		push(c, RESTART, NULL);
	} else if (!strcmp(args[0], "loadfile")) {
		push(c, START, NULL);
		c->ends = strstr(args[1], "end") != NULL;
		if (strstr(args[1], "fail")) {
			finish(c, 4, -13);
		} else {
			c->playing = 1;
			c->pos = 10;
			c->started = now();
			push(c, LOADED, NULL);
			c->value = "{\"dw\":64,\"dh\":36,\"h\":36}";
			c->prop = (property){"video-params", 1, &c->value};
			push(c, CHANGED, &c->prop);
			push(c, RESTART, NULL);
		}
	}
	pthread_mutex_unlock(&c->mu);
	return 0;
}

int mpv_observe_property(core *c, uint64_t tag, const char *name, int format) { return 0; }

event *mpv_wait_event(core *c, double timeout) {
	static event none;
	pthread_mutex_lock(&c->mu);
	event *e = c->tail < c->head ? &c->queue[c->tail++ % ROOM] : &none;
	pthread_mutex_unlock(&c->mu);
	return e;
}

void mpv_set_wakeup_callback(core *c, callback f, void *tag) {
	pthread_mutex_lock(&c->mu);
	c->wakeup = f;
	c->wakeup_tag = tag;
	pthread_mutex_unlock(&c->mu);
}

int mpv_request_log_messages(core *c, const char *level) { return 0; }

const char *mpv_error_string(int code) { return code == -13 ? "loading failed" : "error"; }

int mpv_render_context_create(core **out, core *c, param *params) {
	if (params[0].type != 1 || strcmp(params[0].data, "sw")) {
		return -4;
	}
	__atomic_add_fetch(&renderers, 1, __ATOMIC_SEQ_CST);
	*out = c;
	return 0;
}

void mpv_render_context_set_update_callback(core *c, callback f, void *tag) {
	pthread_mutex_lock(&c->mu);
	c->update = f;
	c->update_tag = tag;
	pthread_mutex_unlock(&c->mu);
}

uint64_t mpv_render_context_update(core *c) {
	pthread_mutex_lock(&c->mu);
	int due = c->due;
	c->due = 0;
	pthread_mutex_unlock(&c->mu);
	return due;
}

int mpv_render_context_render(core *c, param *p) {
	int *size = NULL;
	size_t stride = 0;
	uint8_t *to = NULL;
	for (; p->type; p++) {
		switch (p->type) {
		case 13: return 0;
		case 17: size = p->data; break;
		case 18:
			if (strcmp(p->data, "rgba")) {
				return -18;
			}
			break;
		case 19: stride = *(size_t *)p->data; break;
		case 20: to = p->data; break;
		}
	}
	if (!size || !to || (uintptr_t)to % 64 || stride != 4 * (size_t)size[0]) {
		return -4;
	}
	pthread_mutex_lock(&c->mu);
	int grey = c->frame % 256;
	pthread_mutex_unlock(&c->mu);
	memset(to, grey, stride * size[1]);
	for (size_t i = 3; i < stride * size[1]; i += 4) {
		to[i] = 255;
	}
	return 0;
}

void mpv_render_context_free(core *c) { __atomic_sub_fetch(&renderers, 1, __ATOMIC_SEQ_CST); }
