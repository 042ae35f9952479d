"""What leaves the house for people: signed webhooks about incidents and hazards, with retries and a record of every attempt.

``news`` says what is worth a push, ``webhooks`` puts it into the deliveries table, ``deliverer`` sends what is due.
What must not go in: decisions about incidents and hazards (``hazards``), HTTP for our own users (``api``).
"""
