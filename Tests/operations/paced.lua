-- Sends the requests of a file in their order, over and over, with a pause before each, and tells how it went as JSON.
-- To be used with one thread. Each request is as many bytes long as the next.
--
-- arg 1  the file
-- arg 2  the bytes of one request
-- arg 3  the number of the request to begin with
-- arg 4  milliseconds between the answer and the next request of a connection; 0 for none

function init(arguments)
  bytes = tonumber(arguments[2])
  file = assert(io.open(arguments[1], 'rb'))
  file:setvbuf('full', 1048576)
  file:seek('set', tonumber(arguments[3]) * bytes)
  local pause = tonumber(arguments[4])
  if pause > 0 then
    function delay() return pause end
  end
end

function request()
  local text = file:read(bytes)
  if text then return text end
  file:seek('set', 0)
  return file:read(bytes)
end

function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,"p50_us":%d,"p99_us":%d,"max_us":%d}\n',
    summary.requests, summary.duration / 1e6, errors.status, broken,
    latency:percentile(50), latency:percentile(99), latency.max))
end
