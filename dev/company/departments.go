package company

// department is a part of the company, with its titles from the first one that
// people get to the last.
type department struct {
	name       string
	costCenter string
	weight     int // how many of the people are there, relative to the others
	titles     []string
	head       string // title of its head
}

// departments are those of the sample data that the demo's roles are made for.
var departments = []department{
	{"Development", "1000", 26, []string{"Assistant Engineer", "Engineer", "Senior Engineer", "Principal Engineer"}, "Development Manager"},
	{"Production", "2000", 22, []string{"Technician", "Senior Technician", "Technique Leader"}, "Production Manager"},
	{"Sales", "3000", 16, []string{"Sales Assistant", "Account Executive", "Senior Account Executive"}, "Sales Manager"},
	{"Customer Service", "3100", 10, []string{"Support Agent", "Senior Support Agent", "Support Specialist"}, "Customer Service Manager"},
	{"Research", "1100", 7, []string{"Research Assistant", "Researcher", "Senior Researcher"}, "Research Manager"},
	{"Quality Management", "2100", 6, []string{"Quality Inspector", "Quality Engineer", "Senior Quality Engineer"}, "Quality Manager"},
	{"Marketing", "3200", 6, []string{"Staff", "Senior Staff", "Campaign Lead"}, "Marketing Manager"},
	{"Finance", "4000", 4, []string{"Accountant", "Senior Accountant", "Controller"}, "Finance Manager"},
	{"Human Resources", "4100", 3, []string{"HR Assistant", "HR Partner", "Senior HR Partner"}, "Human Resources Manager"},
}
