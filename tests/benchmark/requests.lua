-- Requests of one case for wrk, and its figures as one JSON line.
-- Arguments after "--": kind ("get", "create_namespace", "create_table", "commit"), path, tag, number of targets.
-- Every name made here is unique: tag (one per run), thread, counter.

local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("thread_number", threads)
end

local bodies = {
  create_namespace = function(name) return '{"namespace":["' .. name .. '"],"properties":{"owner":"bench"}}' end,
  create_table = function(name)
    return '{"name":"' .. name .. '","schema":{"type":"struct","schema-id":0,"fields":['
      .. '{"id":1,"name":"id","required":true,"type":"long"},'
      .. '{"id":2,"name":"name","required":false,"type":"string"}]}}'
  end,
  commit = function(name)
    return '{"requirements":[],"updates":[{"action":"set-properties","updates":{"bench":"' .. name .. '"}}]}'
  end,
}

function init(args)
  kind, path, tag, targets = args[1], args[2], args[3], tonumber(args[4] or "1")
  count = 0
  headers = { ["Content-Type"] = "application/json" }
end

function request()
  count = count + 1
  if kind == "get" then
    return wrk.format("GET", path)
  end
  local name = tag .. "_" .. thread_number .. "_" .. count
  local target = path
  if kind == "commit" then
    target = path .. (count % targets)
  end
  return wrk.format("POST", target, headers, bodies[kind](name))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout
  ))
end
