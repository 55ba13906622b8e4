#ifndef USHER_CLIBICAL_H
#define USHER_CLIBICAL_H

#include <libical/ical.h>

// Times go in as six numbers: year, month, day, hour, minute, second.

static inline struct icaltimetype usher_ical_time(const int *numbers) {
    struct icaltimetype time = icaltime_null_time();
    time.year = numbers[0];
    time.month = numbers[1];
    time.day = numbers[2];
    time.hour = numbers[3];
    time.minute = numbers[4];
    time.second = numbers[5];
    return time;
}

// The zone of a VTIMEZONE, to be freed with usher_ical_free_zone.
static inline icaltimezone *usher_ical_zone(const char *text) {
    icalerror_set_errors_are_fatal(0);
    icalcomponent *component = icalparser_parse_string(text);
    if (!component) return 0;
    icaltimezone *zone = icaltimezone_new();
    if (zone && icaltimezone_set_component(zone, component)) return zone;
    if (zone) icaltimezone_free(zone, 1);
    icalcomponent_free(component);
    return 0;
}

static inline void usher_ical_free_zone(icaltimezone *zone) { icaltimezone_free(zone, 1); }

// Seconds that a zone is ahead of UTC, at a time in UTC.
static inline int usher_ical_offset_of_utc(icaltimezone *zone, const int *numbers) {
    struct icaltimetype time = usher_ical_time(numbers);
    int is_daylight = 0;
    return icaltimezone_get_utc_offset_of_utc_time(zone, &time, &is_daylight);
}

#endif
