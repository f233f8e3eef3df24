/// What one client may take of the server, and how long it may take over it.
package struct ServerLimits: Sendable {
    /// Connections at the same time; further ones wait to be accepted.
    package var connections = 512
    /// Of the request's first line, and of each field of the header, in bytes.
    package var headerField = 16 << 10
    /// Of the whole header, in bytes.
    package var header = 64 << 10
    package var headerFields = 100
    /// From the first byte of a request, or from the connection's beginning, until its header is there.
    package var headerTime: Duration = .seconds(15)
    /// How long the server waits for a body, all pauses together.
    package var bodyTime: Duration = .seconds(30)
    /// Bytes per second that a body must have on average beyond that.
    package var bodyRate = 4 << 10
    /// How long a client may take nothing of an answer.
    package var stallTime: Duration = .seconds(60)
    /// How long a connection may be open without a request.
    package var idleTime: Duration = .seconds(60)
    /// How long answers may go on, and bodies may come, once the server is told to stop.
    package var stopTime: Duration = .seconds(10)
    /// What may be left of a body that nobody wanted, in bytes: it is thrown away; for more the connection is closed.
    package var unwantedBody = 64 << 10
    /// How long what a client sends is thrown away after an answer that closes the connection, so that it gets to read
    /// that answer.
    package var lingerTime: Duration = .milliseconds(500)

    package init() {}
}
