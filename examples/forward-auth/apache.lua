-- Asks Latchkey whether a request may pass to the app.

local socket = require("socket")

local host, port = ("127.0.0.1:8080"):match("^(.*):(%d+)$")

-- Headers that belong to one connection or to the body.
local own = {}
for _, name in ipairs({
    "connection", "keep-alive", "te", "transfer-encoding", "upgrade", "content-length", "content-type", "expect", "host", "accept-encoding", "date",
}) do
    own[name] = true
end

-- The question: the client's headers, and those that describe the request.
local function question(r)
    local lines = {
        "GET /forward-auth HTTP/1.0",
        "X-Forwarded-Method: " .. r.method,
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: " .. (r.headers_in["Host"] or ""),
        "X-Forwarded-Uri: " .. r.unparsed_uri,
        "X-Forwarded-For: " .. r.useragent_ip,
    }
    for name, value in pairs(r:headers_in_table()) do
        if not own[name:lower()] and not name:lower():find("^x%-forwarded%-") then
            lines[#lines + 1] = name .. ": " .. value
        end
    end
    return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

-- Latchkey's response: the status, the headers in the order they came, and the
-- body. Without a response, the status is 503.
local function ask(r)
    local connection = socket.tcp()
    connection:settimeout(10, "t")
    local response = connection:connect(host, port) and connection:send(question(r)) and connection:receive("*a")
    connection:close()
    local status, lines, body = (response or ""):match("^HTTP/1%.%d (%d+)[^\r\n]*\r\n(.-\r\n)\r\n(.*)$")
    local headers = {}
    for name, value in (lines or "Retry-After: 5\r\nCache-Control: no-store\r\n"):gmatch("([^:\r\n]+): *([^\r\n]*)\r\n") do
        headers[#headers + 1] = { name:lower(), value }
    end
    return tonumber(status) or 503, headers, body or ""
end

-- Sends Latchkey's response to the client.
local function refuse(r, status, headers, body)
    r.status = status
    for _, header in ipairs(headers) do
        local name, value = header[1], header[2]
        if name == "content-type" then
            r.content_type = value
        elseif not own[name] then
            -- Each of these tables holds a header once, and Apache sends both.
            local out = r.err_headers_out[name] and r.headers_out or r.err_headers_out
            out[name] = value
        end
    end
    r:write(body)
    return apache2.DONE
end

function latchkey(r)
    -- Remove every Remote- and X-Remote- header a client sends, in any spelling.
    for name in pairs(r:headers_in_table()) do
        if name:lower():find("^x?[^a-z0-9]?remote[^a-z0-9]") then
            r.headers_in[name] = nil
        end
    end
    local status, headers, body = ask(r)
    if status ~= 200 then
        return refuse(r, status, headers, body)
    end
    for _, header in ipairs(headers) do
        local name, value = header[1], header[2]
        if name:find("^remote%-") or name == "cookie" then
            r.headers_in[name] = value ~= "" and value or nil
        end
    end
    return apache2.OK
end
