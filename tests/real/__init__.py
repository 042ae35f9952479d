"""Real programs that tests run against: brokers, PostgreSQL, the RTSP server, a whole `bihuan up`. No fakes here."""
