-- The requests of one burst for wrk, and its figures as one JSON line.
-- Arguments after "--": a file of Lua that returns the requests as they go over the wire, and a tag for the run.
-- They are sent in turn; "@NAME@" in one becomes a text of the same length in all that no other request has.

local PLACE = "@NAME@"
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("thread_number", threads)
end

function init(args)
  requests, tag = dofile(args[1]), args[2]
  fixed = not string.find(requests[1], PLACE, 1, true)
  count = tonumber(tag, 16) % #requests -- no burst begins where the one before has
end

function request()
  local text = requests[count % #requests + 1]
  count = count + 1
  if fixed then
    return text
  end
  return (string.gsub(text, PLACE, string.format("%s%d%08d", tag, thread_number, count)))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"failed":%d,"timeouts":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout, errors.timeout
  ))
end
