-- Sends the requests of a file, each of which is as many bytes long as the next, and tells how it went as JSON.
-- Each thread begins in a part of the file of its own. Reading one request is a copy out of a buffer.
--
-- arg 1  the file
-- arg 2  the bytes of one request
-- arg 3  the number of requests in the file
-- arg 4  the number of threads

local threads_made = 0

function setup(thread)
  thread:set('number', threads_made)
  threads_made = threads_made + 1
end

function init(arguments)
  bytes = tonumber(arguments[2])
  file = assert(io.open(arguments[1], 'rb'))
  file:setvbuf('full', 1048576)
  local share = math.floor(tonumber(arguments[3]) / tonumber(arguments[4]))
  file:seek('set', number * share * bytes)
end

function request()
  local text = file:read(bytes)
  if text then return text end
  file:seek('set', 0)
  return file:read(bytes)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,"p50_us":%d,"p99_us":%d,"p999_us":%d,"max_us":%d}\n',
    summary.requests, summary.duration / 1e6, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max))
end
