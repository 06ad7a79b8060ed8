/// Waits for a notification or for time to pass, whichever comes first.
actor Bell {
    private var isRinging = false
    private var listening: Task<Void, Never>?
    private var waiter: CheckedContinuation<Void, Never>?
    private let notifications: AsyncStream<String>

    init(_ notifications: AsyncStream<String>) { self.notifications = notifications }

    deinit { listening?.cancel() }

    /// Returns at once when it rang since the last wait.
    func wait(atMost limit: Duration) async {
        listen()
        if isRinging {
            isRinging = false
            return
        }
        let alarm = Task { [weak self] in
            // Cut short when it rings first.
            try? await Task.sleep(for: limit)
            await self?.wake()
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter = $0 }
        } onCancel: {
            alarm.cancel()
        }
        alarm.cancel()
        isRinging = false
    }

    private func listen() {
        guard listening == nil else { return }
        let notifications = notifications
        listening = Task { [weak self] in
            for await _ in notifications { await self?.ring() }
        }
    }

    private func ring() {
        isRinging = true
        wake()
    }

    private func wake() {
        waiter?.resume()
        waiter = nil
    }
}
