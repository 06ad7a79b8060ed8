// Plain functions over libcurl's variadic ones and over epoll and eventfd, which Glibc does not export to Swift.
#pragma once
#include <curl/curl.h>
#include <stdint.h>
#include <sys/socket.h>

CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value);
CURLcode ccurl_set_size(CURL *easy, CURLoption option, curl_off_t value);
CURLcode ccurl_set_text(CURL *easy, CURLoption option, const char *value);
CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, const void *value);
CURLcode ccurl_set_list(CURL *easy, CURLoption option, struct curl_slist *value);
CURLcode ccurl_set_url(CURL *easy, CURLU *url);
CURLcode ccurl_set_write(CURL *easy, curl_write_callback callback, void *user);
CURLcode ccurl_set_header(CURL *easy, curl_write_callback callback, void *user);
CURLcode ccurl_set_open_socket(CURL *easy, curl_opensocket_callback callback, void *user);

CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value);
CURLcode ccurl_get_size(CURL *easy, CURLINFO info, curl_off_t *value);
CURLcode ccurl_get_private(CURL *easy, void **value);

CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value);
CURLMcode ccurl_multi_set_socket(CURLM *multi, curl_socket_callback callback, void *user);
CURLMcode ccurl_multi_set_timer(CURLM *multi, curl_multi_timer_callback callback, void *user);
// The next finished transfer and its result; NULL when there is none.
CURL *ccurl_multi_finished(CURLM *multi, CURLcode *result);

// The address libcurl is about to connect to; the storage behind it is `addrlen` bytes long.
const struct sockaddr *ccurl_address(const struct curl_sockaddr *address);

int ccurl_epoll_create(void);
int ccurl_event_create(void);
// `what` is libcurl's CURL_POLL_IN, CURL_POLL_OUT, CURL_POLL_INOUT or CURL_POLL_REMOVE. Adds, changes or removes.
int ccurl_epoll_set(int epoll, int fd, int what);
// Fills `fds` and `actions` (CURL_CSELECT_* bits); answers how many, or -1.
int ccurl_epoll_wait(int epoll, int *fds, int *actions, int max, int timeout_ms);
void ccurl_event_raise(int event);
void ccurl_event_clear(int event);
void ccurl_name_thread(const char *name);
