#ifndef USHER_CHIREDIS_H
#define USHER_CHIREDIS_H

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#endif
