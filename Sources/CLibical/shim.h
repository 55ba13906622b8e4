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

// Seconds that a zone is ahead of UTC, at a time in UTC.
static inline int usher_ical_offset_of_utc(icaltimezone *zone, const int *numbers) {
    struct icaltimetype time = usher_ical_time(numbers);
    int is_daylight = 0;
    return icaltimezone_get_utc_offset_of_utc_time(zone, &time, &is_daylight);
}

#endif
