#ifndef USHER_CCURL_H
#define USHER_CCURL_H

#include <curl/curl.h>

// Swift imports no variadic functions: one of a fixed type for each kind of value.

static inline CURLcode usher_curl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

// Texts, lists and what callbacks are given.
static inline CURLcode usher_curl_set_pointer(CURL *easy, CURLoption option, const void *value) {
    return curl_easy_setopt(easy, option, value);
}

// CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION.
static inline CURLcode usher_curl_set_taker(
    CURL *easy, CURLoption option, size_t (*taker)(char *, size_t, size_t, void *)) {
    return curl_easy_setopt(easy, option, taker);
}

static inline CURLcode usher_curl_set_opener(CURL *easy, curl_opensocket_callback opener) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, opener);
}

static inline CURLcode usher_curl_get_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode usher_curl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLMcode usher_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

// What the two callbacks are given.
static inline CURLMcode usher_curl_multi_set_context(CURLM *multi, void *context) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
    return code == CURLM_OK ? curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context) : code;
}

static inline CURLMcode usher_curl_multi_set_watcher(CURLM *multi, curl_socket_callback watcher) {
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watcher);
}

static inline CURLMcode usher_curl_multi_set_timer(CURLM *multi, curl_multi_timer_callback timer) {
    return curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer);
}

#endif
