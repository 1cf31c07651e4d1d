"""What people ask for and object to: applications, objections, appeals, holds, form of delivery, accounts paid into."""
